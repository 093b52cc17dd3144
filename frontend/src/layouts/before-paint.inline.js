// What this browser keeps is there with the first paint: its colours, and how wide its panes are.
try {
  const { dataset, style } = document.documentElement;
  const theme = localStorage.getItem("talker.theme");
  if (theme === "light" || theme === "dark") dataset.theme = theme;
  const widths = JSON.parse(localStorage.getItem("panes") ?? "{}");
  for (const pane of ["library", "video", "beside"])
    if (Number.isFinite(widths?.[pane])) style.setProperty(`--${pane}`, `${widths[pane]}px`);
} catch {
  // Without storage the machine's own colours are shown, and panes as wide as they are by themselves.
}
