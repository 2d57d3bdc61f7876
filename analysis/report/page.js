"use strict";
// Sorting and filtering of tables, and larger pictures on narrow screens; without it the page is complete.

const WORTH_FILTERING = 8;
const textOf = (row, place) => row.cells[place].textContent.trim();

/** The first number of a text, or what stands for none: it goes last. */
function numberOf(text) {
  const found = text.replace(/,/g, "").replace(/−/g, "-").match(/-?\d+(\.\d+)?(e[+-]?\d+)?/);
  return found ? Number(found[0]) : Infinity;
}

function sort(table, head, place) {
  const descending = head.getAttribute("aria-sort") === "ascending";
  const numeric = head.classList.contains("number");
  const compare = (a, b) => numeric
    ? numberOf(textOf(a, place)) - numberOf(textOf(b, place)) || 0
    : textOf(a, place).localeCompare(textOf(b, place), "en", { numeric: true });
  const rows = [...table.tBodies[0].rows].sort((a, b) => descending ? compare(b, a) : compare(a, b));
  table.tBodies[0].append(...rows);
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
}

function addSorting(table) {
  [...table.tHead.rows[0].cells].forEach((head, place) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(table, head, place));
    head.append(button);
  });
}

function addFilter(table) {
  const heading = (row) => row.parentElement.querySelector(".group")?.textContent ?? "";
  const bodies = [...table.tBodies], rows = bodies.flatMap((body) => [...body.querySelectorAll("tr:not(.group)")]);
  if (rows.length <= WORTH_FILTERING) return;
  const box = document.createElement("label"), input = document.createElement("input");
  const count = document.createElement("output");
  box.className = "search";
  input.type = "search";
  input.placeholder = "Filter rows";
  const update = () => {
    const words = input.value.toLowerCase().split(/\s+/);
    for (const row of rows) {
      const text = `${heading(row)} ${row.textContent}`.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
    for (const body of bodies) body.hidden = rows.every((row) => row.hidden || row.parentElement !== body);
    count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
  };
  input.addEventListener("input", update);
  box.append(input, count);
  table.parentElement.before(box);
  update();
}

if (window.matchMedia("(max-width: 40rem)").matches) document.querySelector("nav details").open = false;
for (const table of document.querySelectorAll("table.data")) {
  if (!table.classList.contains("grouped")) addSorting(table);
  addFilter(table);
}
for (const picture of document.querySelectorAll(".picture")) {
  picture.addEventListener("click", () => picture.classList.toggle("large"));
}
