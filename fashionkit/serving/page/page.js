// Script of the page: sends photos one by one, and shows the answers of the server.

const AT_ONCE = 3;
const MOST_TRIES = 6;
const THUMBNAIL = 480;
const N_SIMILAR = 8;
const STATUSES = ["accepted", "review", "outlier", "error"];
// Columns of the CSV, named as those of classify_photos.
const COLUMNS = ["name", "label", "confidence", "second", "second_confidence", "third",
  "third_confidence", "set", "status", "reason", "coarse", "quality"];

const byId = (id) => document.getElementById(id);
const [strings, served] = await Promise.all(
  ["strings.json", "metadata"].map(async (path) => (await fetch(path)).json()));
const language = strings.language;
const percent = new Intl.NumberFormat(language, { style: "percent" });
const precise = new Intl.NumberFormat(language, {
  style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1,
});
const plain = new Intl.NumberFormat(language);
const decimal = new Intl.NumberFormat(language, { maximumFractionDigits: 3 });
const collator = new Intl.Collator(language, { numeric: true });

const photos = [];
const waiting = [];
let nRunning = 0;
let nAdded = 0;
let shown = [];
let opened = null;
let asked = new AbortController();

// Texts

function say(name, ...values) {
  return fill(strings.page[name], values);
}

function fill(template, values) {
  return template.replace(/\{(\d)\}/g, (_, at) => values[at] ?? "");
}

const patterns = Object.entries(strings.texts).map(([key, text]) => {
  const escaped = key.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{\d\}/g, "(.+)");
  return [new RegExp(`^${escaped}$`), text];
});

// Translates a text of the server, which is English, and keeps its values.
function translate(text) {
  for (const [pattern, translated] of patterns) {
    const match = pattern.exec(text);
    if (match) return fill(translated, match.slice(1));
  }
  return text;
}

function nameOf(label) {
  return label === null || label === undefined ? "" : strings.classes[label] ?? String(label);
}

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children.filter((child) => child !== null));
  return made;
}

// Queue of photos

function add(files) {
  for (const file of files) {
    const photo = { file, added: nAdded++, name: file.name || "photo", tries: 0, result: null };
    photo.card = makeCard(photo);
    photos.push(photo);
    waiting.push(photo);
    showThumbnail(photo);
  }
  if (photos.length) {
    document.body.classList.add("busy");
    byId("results").hidden = false;
  }
  refresh();
  work();
}

function work() {
  while (nRunning < AT_ONCE && waiting.length) {
    const photo = waiting.shift();
    nRunning += 1;
    classify(photo).finally(() => {
      nRunning -= 1;
      refresh();
      work();
    });
  }
}

async function send(path, file, signal) {
  const form = new FormData();
  form.append("file", file, file.name || "photo");
  const answer = await fetch(path, { method: "POST", body: form, signal });
  const said = await answer.json();
  return { code: answer.status, detail: said.detail, result: said.results?.[0] };
}

async function classify(photo) {
  const limit = served.limits.max_bytes;
  if (photo.file.size > limit - 1024) {
    conclude(photo, failure(say("too_large", plain.format(Math.floor(limit / 2 ** 20)))));
    return;
  }
  let said;
  try {
    said = await send("predict", photo.file);
  } catch {
    conclude(photo, { ...failure(say("unreachable")), again: true });
    return;
  }
  if (said.result) {
    conclude(photo, said.result);
  } else if (said.code === 503 && ++photo.tries < MOST_TRIES) {
    await new Promise((done) => setTimeout(done, 500 * 2 ** photo.tries));
    if (photos.includes(photo)) waiting.push(photo);
  } else {
    const reason = typeof said.detail === "string" ? said.detail : say("failed");
    conclude(photo, { ...failure(reason), again: said.code >= 500 });
  }
}

function failure(reason) {
  return { status: "error", reason, label: null, confidence: null, quality: [], colors: [],
    set: [], targets: {} };
}

function conclude(photo, result) {
  photo.result = result;
  fillCard(photo);
  if (opened === photo) showFacts(photo);
}

// Cards

function makeCard(photo) {
  const card = byId("card").content.firstElementChild.cloneNode(true);
  card.classList.add("waiting");
  card.querySelector(".pill").textContent = say("waiting");
  card.querySelector(".name").textContent = photo.name;
  card.querySelector("button").addEventListener("click", () => open(photo));
  label(card, [photo.name, say("waiting")]);
  return card;
}

function label(card, parts) {
  card.querySelector("button").setAttribute("aria-label", parts.filter(Boolean).join(", "));
}

function fillCard({ card, name, result }) {
  const sure = result.confidence === null ? "" : percent.format(result.confidence);
  card.className = `card ${result.status}`;
  card.querySelector(".label").textContent = nameOf(result.label) || say("error");
  card.querySelector(".percent").textContent = sure;
  card.querySelector(".fill").style.width = `${100 * (result.confidence ?? 0)}%`;
  card.querySelector(".pill").textContent = say(result.status);
  label(card, [nameOf(result.label), sure && say("sure", sure), say(result.status), name]);
}

// Thumbnails, so that hundreds of large photos do not fill the memory.
async function showThumbnail(photo) {
  const box = photo.card.querySelector(".picture");
  try {
    const bitmap = await createImageBitmap(photo.file);
    const scale = Math.min(1, THUMBNAIL / Math.min(bitmap.width, bitmap.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
    photo.thumbnail = URL.createObjectURL(blob);
    const image = element("img");
    image.alt = "";
    image.src = photo.thumbnail;
    box.replaceChildren(image);
  } catch {
    box.replaceChildren(element("span", "none", say("no_preview")));
  }
}

// Filter and order of the cards

const orders = {
  added: (one, other) => one.added - other.added,
  sure: (one, other) => (one.result?.confidence ?? 2) - (other.result?.confidence ?? 2),
  label: (one, other) => collator.compare(nameOf(one.result?.label), nameOf(other.result?.label)),
  name: (one, other) => collator.compare(one.name, other.name),
};

let isPlanned = false;
function refresh() {
  if (isPlanned) return;
  isPlanned = true;
  requestAnimationFrame(() => {
    isPlanned = false;
    showCards();
    showProgress();
  });
}

function showCards() {
  const kind = byId("filter").querySelector("input:checked")?.value ?? "all";
  const order = orders[byId("sort").value];
  shown = photos.filter((photo) => kind === "all" || photo.result?.status === kind);
  shown.sort((one, other) => order(one, other) || one.added - other.added);
  const cards = byId("cards");
  shown.forEach(({ card }, at) => {
    if (cards.children[at] !== card) cards.insertBefore(card, cards.children[at] ?? null);
  });
  while (cards.children.length > shown.length) cards.lastElementChild.remove();
  byId("nothing").hidden = shown.length > 0;
  for (const input of byId("filter").querySelectorAll("input")) {
    const count = input.value === "all" ? photos.length
      : photos.filter((photo) => photo.result?.status === input.value).length;
    input.nextElementSibling.textContent = `${say(input.value)} ${plain.format(count)}`;
    input.parentElement.hidden = count === 0 && input.value !== "all" && !input.checked;
  }
}

let announced = 0;
function showProgress() {
  const nDone = photos.filter((photo) => photo.result).length;
  const isDone = nDone === photos.length;
  const nCheck = photos.filter(({ result }) => result && result.status !== "accepted").length;
  byId("progress").max = photos.length || 1;
  byId("progress").value = nDone;
  byId("progress").hidden = isDone;
  const numbers = [nDone, isDone ? nCheck : photos.length].map((number) => plain.format(number));
  const text = photos.length ? say(isDone ? "done_all" : "done_some", ...numbers) : "";
  byId("progress-text").textContent = text;
  byId("csv").disabled = !isDone || !nDone;
  if (isDone || Date.now() - announced > 4000) {
    announced = Date.now();
    byId("status").textContent = text;
  }
}

function makeFilter() {
  for (const kind of ["all", ...STATUSES]) {
    const input = element("input");
    Object.assign(input, { type: "radio", name: "kind", value: kind, checked: kind === "all" });
    input.addEventListener("change", refresh);
    byId("filter").append(element("label", "", input, element("span")));
  }
}

function clear() {
  waiting.length = 0;
  for (const { thumbnail } of photos) if (thumbnail) URL.revokeObjectURL(thumbnail);
  photos.length = 0;
  byId("results").hidden = true;
  byId("filter").querySelector("input").checked = true;
  document.body.classList.remove("busy");
  refresh();
  byId("choose").focus();
}

// Details of one photo

function open(photo) {
  asked.abort();
  asked = new AbortController();
  opened = photo;
  byId("heat-note").textContent = "";
  showPhoto(photo);
  showFacts(photo);
  const at = shown.indexOf(photo);
  byId("previous").disabled = at <= 0;
  byId("next").disabled = at < 0 || at === shown.length - 1;
  if (!byId("dialog").open) byId("dialog").showModal();
  byId("dialog").scrollTop = 0;
  if (byId("heat").checked) showHeat(photo);
  showSimilar(photo);
}

function step(by) {
  const next = shown[shown.indexOf(opened) + by];
  if (next) open(next);
}

function showPhoto(photo) {
  const figure = byId("figure");
  releasePhoto();
  const image = element("img");
  image.alt = photo.name;
  image.addEventListener("error", () => figure.replaceChildren(element("p", "", say("no_preview"))));
  image.addEventListener("load", () => {
    figure.style.setProperty("--ratio", image.naturalWidth / image.naturalHeight);
  });
  image.src = URL.createObjectURL(photo.file);
  figure.replaceChildren(image);
  byId("heat-switch").hidden = !served.heat_maps || !photo.result || photo.result.status === "error";
}

function releasePhoto() {
  for (const image of byId("figure").querySelectorAll("img")) URL.revokeObjectURL(image.src);
  byId("figure").replaceChildren();
}

function showFacts(photo) {
  const { result } = photo;
  byId("dialog-name").textContent = photo.name;
  byId("dialog-label").textContent = result ? nameOf(result.label) || say("error") : say("waiting");
  const facts = byId("facts");
  facts.replaceChildren();
  if (!result) return;
  const pill = element("span", `pill ${result.status}`, say(result.status));
  facts.append(element("p", "verdict", pill, element("span", "", translate(result.reason))));
  if (result.again) facts.append(retryButton(photo));
  if (result.status === "error") return;
  facts.append(heading("probabilities"), ranks(result));
  if (result.set.length > 1) {
    facts.append(heading("possible"), element("p", "", result.set.map(nameOf).join(", ")));
  }
  const others = Object.entries(result.targets).filter(([name]) => !name.endsWith("_confidence"));
  if (others.length) {
    facts.append(heading("more"), element("p", "", others.map((pair) => pair.join(": ")).join("; ")));
  }
  if (result.colors.length) facts.append(heading("colors"), swatches(result.colors));
  const quality = result.quality.map(translate).join(", ") || say("quality_fine");
  const size = say("size", plain.format(result.width), plain.format(result.height));
  facts.append(heading("quality"), element("p", "", `${quality} · ${size}`));
}

function heading(name) {
  return element("h3", "", say(name));
}

function retryButton(photo) {
  const button = element("button", "", say("retry"));
  button.type = "button";
  button.addEventListener("click", () => {
    Object.assign(photo, { result: null, tries: 0 });
    photo.card.className = "card waiting";
    photo.card.querySelector(".pill").textContent = say("waiting");
    byId("dialog").close();
    waiting.push(photo);
    refresh();
    work();
  });
  return button;
}

function ranks(result) {
  const list = element("dl", `ranks ${result.status}`);
  for (const [name, confidence] of [["label", "confidence"], ["second", "second_confidence"],
    ["third", "third_confidence"]]) {
    if (result[name] === null || result[confidence] === null) continue;
    const bar = element("span", "fill");
    bar.style.width = `${100 * result[confidence]}%`;
    const value = element("span", "percent", precise.format(result[confidence]));
    list.append(element("dt", "", nameOf(result[name])),
      element("dd", "", element("span", "meter", bar), value));
  }
  return list;
}

function swatches(colors) {
  return element("ul", "swatches", ...colors.map((color) => {
    const dot = element("span", "swatch");
    dot.style.background = color.hex;
    return element("li", "", dot, `${translate(color.name)} `,
      element("small", "", percent.format(color.share)));
  }));
}

async function showHeat(photo) {
  byId("figure").querySelector(".map")?.remove();
  byId("heat-note").textContent = "";
  if (!byId("heat").checked || !photo.result || photo.result.status === "error") return;
  if (photo.heat === undefined) {
    try {
      const path = "predict?explain=true&quality=false&colors=0";
      const { result } = await send(path, photo.file, asked.signal);
      photo.heat = result?.heat_map ?? null;
    } catch (error) {
      if (error.name !== "AbortError") byId("heat-note").textContent = say("unreachable");
      return;
    }
  }
  if (opened !== photo || !byId("heat").checked) return;
  if (!photo.heat) {
    byId("heat-note").textContent = say("no_heat");
    return;
  }
  const bytes = Uint8Array.from(atob(photo.heat.image), (one) => one.charCodeAt(0));
  const map = element("img", "map");
  map.alt = say("heat_alt");
  map.src = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
  ["left", "top", "width", "height"].forEach((side, at) => {
    map.style[side] = `${100 * photo.heat.box[at]}%`;
  });
  byId("figure").append(map);
}

async function showSimilar(photo) {
  if (!served.search || photo.result?.status === "error") return;
  if (!photo.similar) {
    try {
      const { result } = await send(`search?n_neighbors=${N_SIMILAR}`, photo.file, asked.signal);
      photo.similar = result?.neighbors ?? [];
    } catch {
      return; // another photo was opened, or the server says so elsewhere
    }
  }
  if (opened !== photo || !photo.similar.length) return;
  const list = element("ul", "similar", ...photo.similar.map((one) => {
    const item = element("li");
    if (one.picture) {
      const image = element("img");
      image.alt = "";
      image.src = one.picture;
      item.append(image);
    }
    const title = one.label === null ? one.id : nameOf(one.label);
    item.append(title, element("small", "", say("distance", decimal.format(one.distance))));
    item.title = [one.id, ...Object.values(one.metadata)].join(" · ");
    return item;
  }));
  byId("facts").append(heading("similar"), list);
}

// Download of the results

function cell(value) {
  const text = value === null || value === undefined ? ""
    : Array.isArray(value) ? value.join(", ") : String(value);
  // A quote keeps spreadsheets from executing the text as a formula.
  const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function download() {
  const rows = photos.map((photo) => ({ ...photo.result, name: photo.name }));
  const targets = [...new Set(rows.flatMap((row) => Object.keys(row.targets)))];
  const nColors = Math.max(...rows.map((row) => row.colors.length));
  const colors = Array.from({ length: nColors }, (_, at) => at);
  const names = [...COLUMNS, ...targets,
    ...colors.flatMap((at) => ["color", "hex", "share"].map((part) => `${part}_${at + 1}`))];
  const lines = rows.map((row) => [
    ...COLUMNS.map((name) => row[name]),
    ...targets.map((name) => row.targets[name]),
    ...colors.flatMap((at) => ["name", "hex", "share"].map((part) => row.colors[at]?.[part])),
  ]);
  const text = [names, ...lines].map((line) => line.map(cell).join(",")).join("\r\n");
  const link = element("a");
  link.href = URL.createObjectURL(new Blob(["\ufeff", text, "\r\n"], { type: "text/csv" }));
  link.download = "photos.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// Dropped files and folders of any depth

async function filesOf(transfer) {
  const entries = [...transfer.items].filter((item) => item.kind === "file")
    .map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  const found = [];
  const walk = async (entry) => {
    if (entry instanceof File) {
      found.push(entry);
    } else if (entry?.isFile) {
      found.push(await new Promise((done, fail) => entry.file(done, fail)));
    } else if (entry?.isDirectory) {
      const reader = entry.createReader();
      for (;;) {
        const some = await new Promise((done, fail) => reader.readEntries(done, fail));
        if (!some.length) break;
        for (const one of some.sort((a, b) => collator.compare(a.name, b.name))) {
          if (!one.name.startsWith(".")) await walk(one);
        }
      }
    }
  };
  for (const entry of entries) await walk(entry);
  return found;
}

// Event handlers

byId("model").textContent = served.model;
byId("version").textContent = served.fashionkit;
makeFilter();

byId("choose").addEventListener("click", () => byId("files").click());
byId("files").addEventListener("change", ({ target }) => {
  add([...target.files]);
  target.value = "";
});
let depth = 0;
const mark = (by) => {
  depth = Math.max(0, depth + by);
  byId("drop").classList.toggle("over", depth > 0);
};
addEventListener("dragenter", () => mark(1));
addEventListener("dragleave", () => mark(-1));
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", async (event) => {
  event.preventDefault();
  depth = 0;
  mark(0);
  if (!byId("dialog").open) add(await filesOf(event.dataTransfer));
});
addEventListener("paste", (event) => {
  const files = [...event.clipboardData.files];
  if (files.length && !byId("dialog").open) add(files);
});
byId("sort").addEventListener("change", refresh);
byId("csv").addEventListener("click", download);
byId("clear").addEventListener("click", clear);

byId("previous").addEventListener("click", () => step(-1));
byId("next").addEventListener("click", () => step(1));
byId("close").addEventListener("click", () => byId("dialog").close());
byId("heat").addEventListener("change", () => showHeat(opened));
byId("dialog").addEventListener("click", ({ target }) => {
  if (target === byId("dialog")) target.close();
});
byId("dialog").addEventListener("close", () => {
  asked.abort();
  releasePhoto();
  opened?.card.querySelector("button").focus();
  opened = null;
});
byId("dialog").addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft") step(-1);
  if (event.key === "ArrowRight") step(1);
});
document.documentElement.dataset.ready = "yes";
