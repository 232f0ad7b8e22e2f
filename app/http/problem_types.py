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
            "The body arrived too slowly",
            "The server stopped reading, because the body did not arrive within the time limit that GET /v1 states.",
            "Send the body without pauses. On a slow connection, compress it with zstd or gzip.",
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
            "The body, the network, its results or the answer exceed a limit of this server. Nothing was computed. "
            "GET /v1 lists the limits.",
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
            "All computing threads are busy, and the queue of waiting requests is full.",
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
            "timeout",
            504,
            "The computation took too long",
            "The computation was stopped at the time limit that GET /v1 states.",
            "Send a smaller batch, or request fewer parts of the answer with `include` and `layers`.",
        ),
    )
}
