import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import svelte from "@astrojs/svelte";
import tailwindcss from "@tailwindcss/vite";
import { defineConfig } from "astro/config";

const api = process.env["PUBLIC_API_URL"] ?? "http://127.0.0.1:8000";

/** Runs before the first paint, so it stands in the page itself, and the policy has to know it. */
const inline = readFileSync(new URL("src/layouts/before-paint.inline.js", import.meta.url));
const inlineHash = createHash("sha256").update(inline).digest("base64");

/**
 * One built page serves every conversation and one every video; the address is read in the browser.
 * The app and Caddy do this in production, so Astro's own server must do it too.
 * @returns {import("astro").AstroIntegration}
 */
function shells() {
  return {
    name: "shells",
    hooks: {
      "astro:server:setup": ({ server }) => {
        server.middlewares.use((request, _response, next) => {
          request.url = request.url?.replace(/^\/(c|v)\/[^/?@.]+/, "/$1/");
          next();
        });
      },
    },
  };
}

export default defineConfig({
  output: "static",
  integrations: [svelte(), shells()],
  devToolbar: { enabled: false },
  // No Markdown pages; the highlighter's inline styles would only clash with the policy below.
  markdown: { syntaxHighlight: false },
  security: {
    csp: {
      scriptDirective: { hashes: [`sha256-${inlineHash}`] },
      directives: [
        "default-src 'self'",
        "base-uri 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-src https://www.youtube-nocookie.com",
        "img-src 'self' data: https://i.ytimg.com",
        "object-src 'none'",
      ],
    },
  },
  vite: {
    plugins: [tailwindcss()],
    // The Host stays the page's own, since the API refuses an Origin that differs from it.
    server: { proxy: { "/api": { target: api, changeOrigin: false, ws: true } } },
  },
});
