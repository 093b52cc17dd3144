const names = new Intl.DisplayNames("en", { type: "language", fallback: "code" });

/** `de` as `German`; what is no language's code stays as it is. */
export function languageName(code: string): string {
  try {
    return names.of(code) ?? code;
  } catch {
    return code; // services have codes of their own, such as `iw_old`
  }
}
