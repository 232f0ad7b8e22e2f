"""The least that a FastAPI endpoint can do: answer with a constant. What is left is the price of HTTP in this process."""

from __future__ import annotations

from fastapi import FastAPI, Request

app = FastAPI()


@app.post("/")
async def constant() -> dict[str, str]:
    """Return a constant, whatever was sent."""
    return {"status": "ok"}


@app.post("/read")
async def constant_after_reading(request: Request) -> dict[str, str]:
    """Return a constant once the body is there. A client that is still sending megabytes cannot take the answer."""
    await request.body()
    return {"status": "ok"}
