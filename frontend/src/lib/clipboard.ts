/**
 * Copy text; false where the browser does not let us. `navigator.clipboard` is there only on
 * secure pages, and a family's server at home is often plain HTTP.
 */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text);
  }
}

function copySelected(text: string): boolean {
  const back = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "sr-only";
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  if (back instanceof HTMLElement) back.focus({ preventScroll: true });
  return copied;
}
