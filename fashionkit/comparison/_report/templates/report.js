"use strict";
{
  const data = JSON.parse(document.getElementById("cells").textContent);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  document.documentElement.classList.add("script");

  // Sorting: missing values and failed models come last in both directions.
  const valueOf = (row, column) => row.cells[column]?.dataset.value ?? "";
  const compare = (one, other) => {
    const difference = Number(one) - Number(other);
    return Number.isNaN(difference) ? one.localeCompare(other) : difference;
  };
  const sort = heading => {
    const table = heading.closest("table");
    const opposite = { ascending: "descending", descending: "ascending" };
    const order = opposite[heading.ariaSort] ?? heading.dataset.first;
    const sign = order === "ascending" ? 1 : -1;
    all("th[aria-sort]", table).forEach(other => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", order);
    const column = heading.cellIndex;
    const isLast = row => "failed" in row.dataset || valueOf(row, column) === "";
    const body = table.tBodies[0];
    const rows = all("tr", body).sort((one, other) =>
      isLast(one) - isLast(other) || sign * compare(valueOf(one, column), valueOf(other, column)));
    body.append(...rows);
  };
  all(".sortable thead button").forEach(button =>
    button.addEventListener("click", () => sort(button.closest("th"))));

  // Filtering.
  const filter = form => {
    const rows = all("tbody tr", document.getElementById(form.dataset.table));
    const text = form.querySelector("input[type=search]").value.trim().toLowerCase();
    const onlyMarked = form.querySelector("input[type=checkbox]")?.checked;
    for (const row of rows) {
      const names = all("th, td.text", row).map(cell => cell.textContent.toLowerCase());
      const matches = names.some(name => name.includes(text));
      row.hidden = !matches || (onlyMarked && !("marked" in row.dataset));
    }
    const shown = rows.filter(row => !row.hidden).length;
    form.querySelector("output").value = `${shown} of ${rows.length} shown`;
  };
  all("form.filter").forEach(form => {
    form.addEventListener("input", () => filter(form));
    form.addEventListener("submit", event => event.preventDefault());
  });

  // Confusion matrices: the unit of all, and the images of a cell.
  document.getElementById("units").addEventListener("change", event =>
    document.documentElement.classList.toggle("counts", event.target.value === "count"));
  const element = (name, className, text) => {
    const made = document.createElement(name);
    made.className = className;
    made.textContent = text;
    return made;
  };
  const item = ([row, confidence]) => {
    const made = element("li", "", "");
    const picture = element("span", `picture p${row}`, "");
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", `Image ${row}`);
    made.append(picture);
    if (confidence) made.append(element("span", "", confidence));
    made.append(element("span", "file", data.files[row] ?? `image ${row}`));
    return made;
  };
  const dialog = document.getElementById("cell");
  const open = (model, title, count, images) => {
    document.getElementById("cell-title").textContent = title;
    document.getElementById("cell-text").textContent =
      `By ${model}: ${images.length} of ${count} shown.`;
    document.getElementById("cell-pictures").replaceChildren(...images.map(item));
    dialog.showModal();
  };
  // Each cell with images becomes a button.
  for (const table of all("table.confusion")) {
    const headings = all("thead th", table).map(heading => heading.textContent);
    for (const cell of all("td[data-cell]", table)) {
      const [percent, count] = all("span", cell).map(span => span.textContent);
      const trueClass = cell.parentElement.cells[0].textContent;
      const title = `${trueClass} predicted as ${headings[cell.cellIndex - 1]}`;
      const button = element("button", "", "");
      button.type = "button";
      button.setAttribute("aria-label", `${title}: ${count}, ${percent} %`);
      button.append(...cell.childNodes);
      button.addEventListener("click", () =>
        open(table.dataset.model, title, count, data.cells[cell.dataset.cell]));
      cell.append(button);
    }
  }
  dialog.addEventListener("click", event => event.target === dialog && dialog.close());

  // Printing shows everything.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details:not([open])");
    closed.forEach(details => { details.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach(details => { details.open = false; }));
}
