// Makes elements. Text goes in as text nodes only; nothing is ever parsed as markup.

/** @param {...(Node|string)} children */
export function element(tag, className = '', ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}
