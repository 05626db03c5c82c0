"""The version that `feast.__version__` reports: that of feastkit."""


def get_version() -> str:
    """The installed version of feastkit; "unknown" when it runs from a checkout that is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("feastkit")
    except PackageNotFoundError:
        return "unknown"
