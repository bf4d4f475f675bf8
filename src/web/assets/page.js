// The page is complete without this. It keeps the page up to date, and copies commands.
"use strict";

const AGAIN = 30_000;
let shown = document.body.dataset.revision;
let busy = false;
let wanted = null;

/** Shows the copy buttons, which need a script and a safe context. */
function equip(root) {
  for (const button of root.querySelectorAll("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
}

/** Copies the commands of one router, as they are typed. */
async function copy(button) {
  const text = button.closest("li").querySelector("pre").textContent;
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Not over plain HTTP: select them, for the reader's own keys.
    getSelection().selectAllChildren(button.closest("li").querySelector("pre"));
    done = false;
  }
  const { copy: label, copied, selected } = document.body.dataset;
  button.textContent = done ? copied : selected;
  setTimeout(() => { button.textContent = label; }, 3000);
}

/** What a reader has opened, and where the focus is. */
function state(main) {
  const open = {};
  for (const details of main.querySelectorAll("details[id]")) open[details.id] = details.open;
  const scrolled = [...main.querySelectorAll(".scroll")].map((part) => part.scrollLeft);
  const focused = document.activeElement;
  const all = [...main.querySelectorAll("a, button, summary, [tabindex]")];
  return { open, scrolled, focus: main.contains(focused) ? all.indexOf(focused) : -1 };
}

function restore(main, { open, scrolled, focus }) {
  for (const [id, is] of Object.entries(open)) {
    const details = document.getElementById(id);
    if (details) details.open = is;
  }
  main.querySelectorAll(".scroll").forEach((part, place) => { part.scrollLeft = scrolled[place] ?? 0; });
  if (focus >= 0) main.querySelectorAll("a, button, summary, [tabindex]")[focus]?.focus({ preventScroll: true });
}

/** Fetches the page again and replaces its content. */
async function refresh() {
  if (busy) return;
  busy = true;
  try {
    const response = await fetch(location.pathname + location.search);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const next = page.querySelector("main");
    // A login or an error of a proxy is not our page.
    if (!next || !page.body.dataset.revision) return;
    const main = document.querySelector("main");
    const selected = getSelection();
    // Whoever is selecting text does not lose it.
    if (!selected.isCollapsed && main.contains(selected.anchorNode)) {
      setTimeout(refresh, 2000);
      return;
    }
    const kept = state(main);
    document.title = page.title;
    main.replaceWith(next);
    shown = page.body.dataset.revision;
    document.body.dataset.revision = shown;
    equip(next);
    restore(next, kept);
    say("");
  } catch {
    say(document.body.dataset.silent);
  } finally {
    busy = false;
  }
  if (wanted && wanted !== shown) {
    wanted = null;
    setTimeout(refresh, 1000);
  }
}

function say(text) {
  const live = document.querySelector(".live");
  if (live.textContent !== text) live.textContent = text;
}

let source = null;
function listen() {
  if (!window.EventSource) {
    setInterval(refresh, AGAIN);
    return;
  }
  if (document.hidden || source) return;
  source = new EventSource(new URL("events", document.querySelector("a.home").href));
  source.onmessage = (event) => {
    say("");
    if (event.data !== shown) {
      wanted = event.data;
      refresh();
    }
  };
  source.onerror = () => {
    if (source?.readyState === EventSource.CLOSED) {
      source = null;
      setTimeout(listen, AGAIN);
    }
    setTimeout(() => {
      if (source?.readyState !== EventSource.OPEN) say(document.body.dataset.silent);
    }, 5000);
  };
}

// A browser has few connections to one server: a hidden page gives its own back.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    source?.close();
    source = null;
  } else if (shown) {
    listen();
  }
});

equip(document);
// An answer to a form has no revision: it stays until its reader has read it.
if (shown) listen();
