try {
  const theme = localStorage.getItem("talker.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Without storage the machine's own colours are shown.
}
