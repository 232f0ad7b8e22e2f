"""The kinds of problems (RFC 9457) and the HTTP status of each.

To add one, add an entry to `PROBLEM_TYPES`. Its page is served at /problems/{slug}, and the OpenAPI schema lists it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of problem: its status, title and the text of its page."""

    slug: str
    status: int
    title: str
    meaning: str
    remedy: str


PROBLEM_TYPES: dict[str, ProblemType] = {
    kind.slug: kind
    for kind in (
        ProblemType(
            "malformed-json",
            400,
            "The body is not JSON",
            "The body could not be parsed. It has a syntax error, an encoding other than UTF-8, a NaN or Infinity, a "
            "number beyond the range of float64, or compressed data that ends too early.",
            "Write numbers as JSON allows (no NaN), leave out trailing commas, and encode the body as UTF-8 without a "
            "byte-order mark.",
        ),
        ProblemType(
            "unauthorized",
            401,
            "An API key is needed",
            "This server answers only requests with a valid API key. The request has none, or its key is unknown or was "
            "revoked.",
            "Send the key in the header `Authorization: Bearer KEY`. The operator of the server makes keys with "
            "`gradd keys create`.",
        ),
        ProblemType(
            "forbidden",
            403,
            "The API key does not allow this",
            "The key is valid, but it does not have the scope that the address needs: compute, models, jobs or admin.",
            "Use a key with the scope that the error names, or ask the operator of the server for one.",
        ),
        ProblemType(
            "quota-exceeded",
            403,
            "The storage of the API key is used up",
            "Models, datasets and checkpoints of the key's owner take as many bytes as the key allows. Nothing was stored.",
            "Delete models, datasets and jobs that are no longer needed, or ask the operator of the server for more.",
        ),
        ProblemType(
            "malformed-request",
            400,
            "The request is not valid HTTP",
            "The server could not tell where the request or its body ends, or for which host it is: the request line, a "
            "header, a chunk or the length is malformed, or a header that must occur once is missing or doubled.",
            "Send the request with an HTTP client. The connection is closed after this answer.",
        ),
        ProblemType(
            "forbidden-origin",
            403,
            "A page of another origin may not do this",
            "A web page of an origin that this server does not know has sent a request that computes or changes something. "
            "Nothing was done. Only browsers are concerned.",
            "Open the page from this server, or have the operator list the page's origin in GRADD_ALLOWED_ORIGINS.",
        ),
        ProblemType(
            "not-found",
            404,
            "Not found",
            "No resource has this address.",
            "GET /openapi.json lists every address; GET /docs shows them in a browser.",
        ),
        ProblemType(
            "method-not-allowed",
            405,
            "The address does not support this method",
            "The address exists, but it does not support the method of the request.",
            "Use a method that the header Allow lists. Computations are POST requests.",
        ),
        ProblemType(
            "not-acceptable",
            406,
            "No acceptable format",
            "This address cannot answer in any of the formats that the header Accept allows.",
            "Send `Accept: application/json`, or leave the header out.",
        ),
        ProblemType(
            "request-timeout",
            408,
            "The request arrived too slowly",
            "The server stopped reading, because the head or the body did not arrive within its time limit. GET /v1 states "
            "that of the body.",
            "Send the request without pauses. On a slow connection, compress the body with zstd or gzip.",
        ),
        ProblemType(
            "job-state",
            409,
            "The status of the job does not allow this action",
            "The requested action is not allowed in the job's present status. Repeating an action that already took effect "
            "is not an error.",
            "Request the job with GET. Its field `actions` lists the actions that are allowed now.",
        ),
        ProblemType(
            "idempotency-in-flight",
            409,
            "A request with the same key is in progress",
            "An earlier request with this Idempotency-Key has not been answered yet.",
            "Wait a second and send the request again. The answer will be that of the first request.",
        ),
        ProblemType(
            "idempotency-mismatch",
            422,
            "The key was used with another body",
            "An earlier request used this Idempotency-Key with another body. A key identifies one request, which can then "
            "be repeated safely.",
            "Use a new key for a new request. To repeat the earlier request, send it with its original body.",
        ),
        ProblemType(
            "precondition-failed",
            412,
            "The resource has been changed",
            "The header If-Match names another state of the resource than the present one. Nothing was changed.",
            "Request the resource again. If the change is still wanted, send it with the ETag of that answer.",
        ),
        ProblemType(
            "too-large",
            413,
            "Beyond a limit of this server",
            "The body, the network, its results, the answer or the cost of the computation exceed a limit of this server or "
            "of the key. Nothing was computed. GET /v1 lists the limits of the server.",
            "Send fewer examples at a time, request fewer parts of the answer with `include` and `layers`, or run a server "
            "with higher limits, which are settings.",
        ),
        ProblemType(
            "unsupported-media-type",
            415,
            "Unsupported format of the body",
            "The header Content-Type or Content-Encoding names a format that this address does not read.",
            "Send application/json, uncompressed or compressed with gzip or zstd.",
        ),
        ProblemType(
            "misdirected-request",
            421,
            "The request is for another host",
            "The header Host names a host for which this server does not answer. So a web page cannot reach a server on its "
            "reader's machine under a name of its own (DNS rebinding).",
            "Use the name or address of the server, or have the operator add the name to GRADD_ALLOWED_HOSTS.",
        ),
        ProblemType(
            "head-too-large",
            431,
            "The head of the request is too large",
            "The request line and the headers together have more than 32,768 bytes, or there are more than 100 headers.",
            "Send fewer or shorter headers and a shorter query; data belongs in the body.",
        ),
        ProblemType(
            "invalid-request",
            422,
            "The request is not valid",
            "The body is JSON, but a field is missing, unknown, of the wrong type or out of range, or several kinds of "
            "problems occurred together. Each error states its location as a JSON pointer.",
            "Correct the errors one by one: each states what was expected and, if there is a likely one, the fix.",
        ),
        ProblemType(
            "shape-mismatch",
            422,
            "Shapes do not match",
            "A tensor does not have the shape that the layer, the loss or the convention requires. Each error names the "
            "operator, the shapes and the equation, and another convention if that one would fit.",
            'Check "convention" first: row (inputs n x features, weights in x out), column (both transposed) or torch '
            "(weights out x in).",
        ),
        ProblemType(
            "unknown-name",
            422,
            "Unknown name",
            "The request names a layer, parameter, function or part of the answer that does not exist.",
            "Use one of the valid names that the error lists. Layers without a name are named by their position, from 1.",
        ),
        ProblemType(
            "ragged-array",
            422,
            "The rows of an array differ in length",
            "Nested lists form a tensor only if all lists of the same depth have the same length.",
            "Correct the row that the error's pointer locates: it is the first one of a different length.",
        ),
        ProblemType(
            "missing-parameters",
            422,
            "Parameters are missing",
            "A layer needs a weight or a bias that the request does not contain.",
            'Send it in "parameters", or send "seed" to let the server draw missing parameters, or set "bias": false.',
        ),
        ProblemType(
            "non-finite",
            422,
            "A number is infinite or not a number",
            "The request contains NaN or infinity, or one of them appeared in the computation. The error names the first "
            "layer and tensor concerned and the reason. Answers never contain NaN.",
            "Scale the inputs or parameters down, use a loss of logits (softmax_cross_entropy, sigmoid_cross_entropy), or "
            "compute in float64.",
        ),
        ProblemType(
            "unsupported-operator",
            422,
            "Unsupported operator",
            "The computation is not defined, or not implemented, for a layer of the network or a node of an imported file. "
            "The error names it.",
            "Follow the error's hint: use another computation, or replace the layer.",
        ),
        ProblemType(
            "rate-limited",
            429,
            "Too much at a time for one key",
            "This request would exceed a limit of the key: of requests, of requests at the same time, of operations or of "
            "jobs; or the limit that this server has for the waiting jobs of each key. Nothing was computed.",
            "Send the request again after the number of seconds in the header Retry-After.",
        ),
        ProblemType(
            "internal-error",
            500,
            "Internal error",
            "The request was not answered because of a defect of this server. Nothing was changed.",
            "Please report the defect together with the request.",
        ),
        ProblemType(
            "overloaded",
            503,
            "Too many requests are waiting",
            "All computing threads are busy and the queue of waiting requests is full, or the bodies of other requests take "
            "all the room there is, or every connection is in use, or the queue of jobs or the number of event streams has "
            "reached its limit.",
            "Send the request again after the number of seconds in the header Retry-After.",
        ),
        ProblemType(
            "not-ready",
            503,
            "The server is not ready",
            "A resource that requests need is not available. The error names it.",
            "Ask the operator of the server. GET /readyz shows when the server is ready again.",
        ),
        ProblemType(
            "insufficient-storage",
            507,
            "No room to store this",
            "The server has reached the limit of what it may keep, or its disk is full. Nothing was stored, and nothing that "
            "was stored before is lost.",
            "Delete models, datasets or jobs that are no longer needed, or ask the operator of the server for more space.",
        ),
        ProblemType(
            "timeout",
            504,
            "The computation took too long",
            "The computation was stopped at the time limit that GET /v1 states.",
            "Send a smaller batch, or request fewer parts of the answer with `include` and `layers`.",
        ),
    )
}
