"""A bare Sanic handler: reads the request's body and answers the bytes of a file. Run as `python bare.py PORT FILE`.

It is what is left when a feature server does nothing: one process, uvloop where it is installed, no access log.
It imports nothing of this repository, so that it can be run by any Python that has Sanic.
"""

import sys
from pathlib import Path

from sanic import HTTPResponse, Request, Sanic


def make_app(answer: bytes) -> Sanic:  # type: ignore[type-arg]
    """An app that answers `answer` as application/json to every POST of `/get-online-features`."""
    app = Sanic("bare", configure_logging=False)

    @app.post("/get-online-features")
    async def get_online_features(request: Request) -> HTTPResponse:
        _ = request.body
        return HTTPResponse(answer, content_type="application/json")

    return app


if __name__ == "__main__":
    app = make_app(Path(sys.argv[2]).read_bytes())
    app.run("127.0.0.1", int(sys.argv[1]), single_process=True, access_log=False, motd=False)
