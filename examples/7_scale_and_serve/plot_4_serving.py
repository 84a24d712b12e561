"""
A model behind a web page
=========================

``python -m fashionkit serve`` puts a model on a page in the browser, where anybody can drop photos, and
answers programs in JSON. :func:`~fashionkit.make_app` is the same as an application for a server of your own. It needs
``pip install "fashionkit[serve]"``.
"""

# %%
# The server
# ----------
# In a separate file, this would be two lines, started by ``uvicorn server:app``. Here a thread runs it, on a port that
# the system chooses, so that the page can ask it.

import threading
import time

import uvicorn

from fashionkit import make_app

app = make_app("clothing-photos-small-v1")
server = uvicorn.Server(
    uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning")
)
thread = threading.Thread(target=server.run, daemon=True)
thread.start()
while not server.started:
    time.sleep(0.1)
port = server.servers[0].sockets[0].getsockname()[1]
url = f"http://127.0.0.1:{port}"

# %%
# Whether the server answers, and what it serves:

import requests

requests.get(f"{url}/health").json()

# %%
# Photos
# ------
# :func:`~fashionkit.fetch_clothing_photos` downloads photos that people took of their own clothes (CC0 1.0).

import tempfile
from pathlib import Path

from PIL import Image

from fashionkit import fetch_clothing_photos, make_garments

try:
    paths = fetch_clothing_photos("validation").filenames
except OSError:
    print("The photos cannot be downloaded: these are drawings.")
    folder = Path(tempfile.mkdtemp())
    drawings, _ = make_garments(340, image_size=128, random_state=0)
    for row, drawing in enumerate(drawings):
        Image.fromarray(255 - drawing).save(folder / f"{row:03}.png")
    paths = sorted(folder.iterdir())
paths = [Path(path) for path in paths[5::14]][:24]

# %%
# A request
# ---------
# Any number of photos travel in one form. The answer to the first one:

import json

with requests.Session() as session:
    answer = session.post(
        f"{url}/predict",
        params={"explain": "true", "colors": 2},
        files=[
            ("file", (path.name, path.read_bytes())) for path in paths
        ],
    ).json()
results = answer["results"]
first = {
    key: value for key, value in results[0].items() if key != "heat_map"
}
print(json.dumps(first, indent=1)[:1200])

# %%
# Heat maps in the answers
# ------------------------
# With ``explain=true`` each answer also has a picture to lay over the photo: where the network looked. Of 24 photos, here are
# the four of which it is least sure, above, and those of which it is surest.

import base64
import io

import matplotlib.pyplot as plt

figure, axes = plt.subplots(
    2, 4, figsize=(9, 5.4), layout="constrained"
)
by_confidence = sorted(
    zip(results, paths, strict=True),
    key=lambda pair: pair[0]["confidence"],
)
shown = [*by_confidence[:4], *by_confidence[-4:]]
for ax, (result, path) in zip(axes.flat, shown, strict=True):
    photo = Image.open(path).convert("RGB")
    ax.imshow(photo)
    if heat := result.get("heat_map"):
        picture = Image.open(
            io.BytesIO(base64.b64decode(heat["image"]))
        )
        left, top, width, height = heat["box"]
        ax.imshow(
            picture,
            extent=(
                left * photo.width,
                (left + width) * photo.width,
                (top + height) * photo.height,
                top * photo.height,
            ),
        )
    ax.set(
        xlim=(0, photo.width),
        ylim=(photo.height, 0),
        xticks=[],
        yticks=[],
    )
    color = (
        "tab:green" if result["status"] == "accepted" else "tab:orange"
    )
    ax.spines[:].set(color=color, linewidth=3)
    ax.set_title(
        f"{result['label']}, {result['confidence']:.0%}\n{result['status']}",
        color=color,
    )

# %%
# A file that is not a photo gets an answer that says so; the other files are answered as usual.

files = [
    ("file", ("notes.txt", b"not a photo")),
    ("file", (paths[0].name, paths[0].read_bytes())),
]
answer = requests.post(
    f"{url}/predict?colors=0&quality=false", files=files
)
for result in answer.json()["results"]:
    print(
        result["name"][-12:],
        "|",
        result["status"],
        "|",
        result.get("reason"),
    )

server.should_exit = True
thread.join()

# %%
# The guide has the page itself, and what keeps it safe: :doc:`/serving`.
