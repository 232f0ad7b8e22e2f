"""GET /problems and GET /problems/{slug}: the pages that the `type` of a refusal points to."""

from __future__ import annotations

from html import escape

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from app.http.openapi import describe_refusal
from app.http.problem_types import PROBLEM_TYPES, ProblemType
from core.errors import Refusal

router = APIRouter(tags=["service"])

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>
:root {{ color-scheme: light dark; font: 17px/1.55 system-ui, sans-serif }}
body {{ max-width: 42rem; margin: 3rem auto; padding: 0 1rem }}
code {{ font: 0.95em ui-monospace, monospace }}
dt {{ font-weight: 600; margin-top: 1rem }} dd {{ margin: 0 }}
</style></head><body>{content}</body></html>"""


def page(title: str, content: str) -> HTMLResponse:
    """Return an HTML page that needs no other file."""
    return HTMLResponse(PAGE.format(title=escape(title), content=content))


def _describe(kind: ProblemType) -> str:
    return (
        f"<h1>{escape(kind.title)}</h1><p><code>{kind.slug}</code>, status {kind.status}</p>"
        f"<p>{escape(kind.meaning)}</p><h2>What to do</h2><p>{escape(kind.remedy)}</p>"
        '<p><a href="/problems">All problems</a></p>'
    )


@router.get(
    "/problems", operation_id="list_problems", summary="List the kinds of problems", response_class=HTMLResponse
)
async def list_problems() -> HTMLResponse:
    """Return an HTML page with one entry for each kind of problem."""
    entries = "".join(
        f'<dt><a href="/problems/{kind.slug}"><code>{kind.slug}</code></a> ({kind.status})</dt><dd>{escape(kind.title)}</dd>'
        for kind in PROBLEM_TYPES.values()
    )
    return page("Problems", f"<h1>Problems</h1><dl>{entries}</dl>")


@router.get(
    "/problems/{slug}",
    operation_id="explain_problem",
    summary="Explain a kind of problem",
    response_class=HTMLResponse,
    responses={404: describe_refusal(404), 422: describe_refusal(422)},
)
async def explain_problem(slug: str) -> HTMLResponse:
    """Return an HTML page that says what a kind of problem means and how to fix it."""
    if slug not in PROBLEM_TYPES:
        raise Refusal.of("not-found", f"There is no kind of problem {slug[:60]!r}.", expected=list(PROBLEM_TYPES))
    return page(PROBLEM_TYPES[slug].title, _describe(PROBLEM_TYPES[slug]))
