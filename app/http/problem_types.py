"""The kinds of problems (RFC 9457): the one place where a code meets an HTTP status.

Adding a problem: one entry in `PROBLEM_TYPES`. Its page is served at /problems/{slug}, and the schema lists it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of problem: its status, its title, and the text of its page."""

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
            "The body could not be parsed: a syntax error, another encoding than UTF-8, NaN or Infinity written bare, a "
            "number beyond the range of float64, or compressed data that is cut off.",
            "Write numbers as JSON does (no NaN, no trailing commas), encode the body as UTF-8 without a byte-order mark.",
        ),
        ProblemType(
            "not-found",
            404,
            "There is nothing here",
            "No resource has this address.",
            "GET /openapi.json lists every address; GET /docs shows them.",
        ),
        ProblemType(
            "method-not-allowed",
            405,
            "This address does not take that method",
            "The address exists, but it does not answer to this method.",
            "The header Allow names the methods that it takes. Computations are POST requests.",
        ),
        ProblemType(
            "not-acceptable",
            406,
            "No acceptable format",
            "The header Accept leaves no format in which this address can answer.",
            "Accept application/json, or leave the header out.",
        ),
        ProblemType(
            "request-timeout",
            408,
            "The body came too slowly",
            "The connection was given up because the body did not arrive within the time that GET /v1 names.",
            "Send the body at once; compress it with zstd or gzip where the line is slow.",
        ),
        ProblemType(
            "job-state",
            409,
            "The job is in another state",
            "A verb was sent that is not legal for a job in its present status. Repeating one that took effect is no error.",
            "GET the job: its actions are the verbs that are legal now.",
        ),
        ProblemType(
            "idempotency-in-flight",
            409,
            "The same request is being answered",
            "Another request with this Idempotency-Key has come and is not answered yet.",
            "Wait a second and send it again: the answer will be that of the first one.",
        ),
        ProblemType(
            "idempotency-mismatch",
            422,
            "The same key with another body",
            "This Idempotency-Key came with another body before. A key stands for one request, so that it may be repeated.",
            "Send a new request with a new key; send the old one again with the body that it had.",
        ),
        ProblemType(
            "too-large",
            413,
            "Larger than this server takes",
            "The body, the network, its results or the answer are beyond a limit. Nothing was computed, and no memory of "
            "that size was taken. GET /v1 lists the limits.",
            "Send less at a time, leave parts out of the answer with include and layers, or run a server with higher "
            "limits: they are settings.",
        ),
        ProblemType(
            "unsupported-media-type",
            415,
            "This kind of body is not understood",
            "The header Content-Type or Content-Encoding names a format that this address does not read.",
            "Send application/json, plain or compressed with gzip or zstd.",
        ),
        ProblemType(
            "invalid-request",
            422,
            "Something in the request is not valid",
            "The body is JSON, but a field is missing, unknown, of the wrong type or out of range, or several kinds of "
            "problems came together. Each error has the place as a JSON pointer.",
            "Go through the errors: each says what was expected and, where one is likely, the fix.",
        ),
        ProblemType(
            "shape-mismatch",
            422,
            "Shapes do not fit",
            "A tensor does not have the shape that the layer, the loss or the convention asks for. Each error names the "
            "operator, the shapes and the equation; where another convention would fit, it is named.",
            'Look at "convention" first: row (inputs n x features, weights in x out), column (transposed both) or torch '
            "(weights out x in).",
        ),
        ProblemType(
            "unknown-name",
            422,
            "A name that means nothing here",
            "A layer, parameter, function or part of the answer was named that does not exist.",
            "The error lists the valid names and the nearest one. Layers without a name are named by position, from 1.",
        ),
        ProblemType(
            "ragged-array",
            422,
            "The rows of an array differ in length",
            "Nested lists are a tensor only where all lists of one depth have the same length.",
            "The pointer leads to the first row that differs.",
        ),
        ProblemType(
            "missing-parameters",
            422,
            "Parameters are missing",
            "A layer needs a weight or a bias that the request does not hold.",
            'Send it under parameters; or send "seed" and the server draws what is missing; or set "bias": false.',
        ),
        ProblemType(
            "non-finite",
            422,
            "A number is infinite or not a number",
            "NaN or infinity came in, or appeared in the computation. The error names the first layer and tensor where it "
            "did, and why. No answer ever holds NaN.",
            "Scale inputs or parameters down, use the loss on logits (softmax_cross_entropy, sigmoid_cross_entropy), or "
            "compute in float64.",
        ),
        ProblemType(
            "unsupported-operator",
            422,
            "This cannot be done with that operator",
            "A layer of the network, or a node of an imported file, is of a kind with which this computation does not exist "
            "or is not offered. The error names it.",
            "The error says what else is there: another computation, or another layer in its place.",
        ),
        ProblemType(
            "internal-error",
            500,
            "A defect of this server",
            "The server failed in a way it should not. The request was not answered, and nothing was changed.",
            "Please report it with the request that led here.",
        ),
        ProblemType(
            "overloaded",
            503,
            "Too many requests are waiting",
            "All threads that compute are busy, and the queue before them is full.",
            "Come back after the number of seconds in the header Retry-After.",
        ),
        ProblemType(
            "not-ready",
            503,
            "The server does not take requests now",
            "Something that requests need is missing: the error names it.",
            "The operator has to look at it; GET /readyz says when it is well again.",
        ),
        ProblemType(
            "timeout",
            504,
            "The computation took too long",
            "The computation was ended at the limit of seconds that GET /v1 names.",
            "Send a smaller batch, or ask for less with include and layers.",
        ),
    )
}
