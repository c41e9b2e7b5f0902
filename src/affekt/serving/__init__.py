"""The HTTP API and the web page; needs the extra ``serve``."""
