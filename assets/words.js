/* Words that a person reads: as they stand in the code, or as the language of this server has them.
 *
 * state/web/assets.py puts this file behind each script that says something, and where a language is chosen sets
 * in front `tr.table` (English to a text, or to the forms of a plural) and `tr.forms` (which goes with 0 to 199).
 */
function told(message, n) {
  const text = tr.table?.[message];
  return Array.isArray(text) ? text[tr.forms[n < 200 ? n : 100 + (n % 100)]] : text;
}

function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(values, name) ? values[name] : whole));
}

function tr(message, values) {
  const text = told(message, 1) ?? message;
  return values ? filled(text, values) : text;
}

/** The form that goes with `n`, which stands in it as {n}. */
function trN(one, many, n, values) {
  return filled(told(one, n) ?? (n === 1 ? one : many), { n, ...values });
}

/** A text as nodes to append: elements stand where it still has their names in braces. */
function among(text, elements) {
  return text.split(/\{(\w+)\}/).map((part, place) => (place % 2 ? elements[part] : part));
}
