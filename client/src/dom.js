// The few DOM helpers all views share. Text goes in through textContent only: nothing a person wrote becomes markup.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element. `properties`: `class`, `data` (object), `on` (object of listeners), and attributes; `false`, null and
 * undefined leave an attribute out. Children are nodes or strings.
 */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "class") node.className = value;
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** An icon from the sprite in index.html. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

export const byTestId = (id) => document.querySelector(`[data-testid="${id}"]`);

/** Gives a select element these choices ({value, label}). */
export function fill(select, choices, chosen) {
  select.replaceChildren(...choices.map(({ value, label }) => choice(value, label)));
  select.value = chosen;
}

/** The same in groups ({label}), whose choices `choicesOf` tells. */
export function fillGroups(select, groups, choicesOf) {
  const nodes = groups.map((group) =>
    element("optgroup", { label: group.label }, ...choicesOf(group).map(({ value, label }) => choice(value, label))),
  );
  select.replaceChildren(...nodes);
}

/** A choice of a select element. */
export function choice(value, label, selected = false) {
  const node = element("option", { value }, label);
  node.selected = selected;
  return node;
}
