"""What tests of serving send, and a server that answers them."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from io import BytesIO

import numpy as np
import pandas as pd
from PIL import Image


class StubSearch:
    """A search whose neighbours are the first of its images, whatever is asked for."""

    def __init__(self, ids, size=16):
        self.ids_ = np.array(ids)
        self.image_shape_ = (size, size, 3)
        self.queries = []

    def get_params(self, deep=True):
        return {}

    def search(self, X, n_neighbors=10):
        self.queries.append(np.asarray(X))
        rows = [
            {
                "query": query,
                "id": self.ids_[row],
                "distance": row / 10,
                "label": "shirt",
                "price": 5 * row,
                "file": f"/srv/secret/{row}.jpg",
            }
            for query in range(len(X))
            for row in range(n_neighbors)
        ]
        return pd.DataFrame(rows)


def photo(color=(200, 30, 30), size=(40, 30), kind="PNG", **options):
    """Return the bytes of a photo of one colour on white."""
    image = Image.new("RGB", size, "white")
    width, height = size
    image.paste(color, (width // 4, height // 4, 3 * width // 4, 3 * height // 4))
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def colors_and_labels(n=120, size=16, random_state=0):
    """Return images of one colour each on white, and what is their main channel."""
    rng = np.random.RandomState(random_state)
    y = np.arange(n) % 3
    X = np.full((n, size, size, 3), 255, np.uint8)
    for row, channel in enumerate(y):
        color = rng.randint(0, 90, 3)
        color[channel] = rng.randint(150, 255)
        X[row, 4:12, 4:12] = color
    return X, np.array(["red shirt", "green shirt", "blue shirt"])[y]


@contextmanager
def serving(app, timeout=5.0):
    """Serve an application in a thread, and return a client of it."""
    import httpx

    from fashionkit.serving._run import make_server, open_socket

    opened = open_socket("127.0.0.1", 0)
    server = make_server(app, timeout)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]})
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        address = f"http://127.0.0.1:{opened.getsockname()[1]}"
        with httpx.Client(base_url=address, timeout=60) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()
        opened.close()
