import { createHash } from "node:crypto";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";

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

/**
 * A page names all scripts that it starts with, so that none waits until another has told of it.
 * @returns {import("astro").AstroIntegration}
 */
function preloads() {
  return {
    name: "preloads",
    hooks: {
      "astro:build:done": ({ dir }) => {
        const root = fileURLToPath(dir);
        for (const page of globSync(`${root}**/*.html`)) {
          const html = readFileSync(page, "utf8");
          const scripts = new Set(html.match(/(?<=(?:component|renderer)-url=")[^"]+/g));
          for (const script of scripts)
            for (const [name] of readFileSync(root + script, "utf8").matchAll(STATIC_IMPORT))
              scripts.add(`/_astro/${name}`);
          const links = [...scripts].map((script) => `<link rel="modulepreload" href="${script}">`);
          writeFileSync(page, html.replace("</head>", `${links.join("")}</head>`));
        }
      },
    },
  };
}

/**
 * Pages, scripts and styles also as small as they can be made, which takes too long to do for each
 * reader: Caddy sends these.
 * @returns {import("astro").AstroIntegration}
 */
function compressed() {
  return {
    name: "compressed",
    hooks: {
      "astro:build:done": ({ dir }) => {
        for (const file of globSync(`${fileURLToPath(dir)}**/*.{html,js,css,svg}`))
          writeFileSync(`${file}.br`, brotliCompressSync(readFileSync(file)));
      },
    },
  };
}

/** The name of a script that another begins with, as the build writes it. */
const STATIC_IMPORT = /(?<=(?:from|import)"\.\/)[^"]+(?=")/g;

/** @typedef {{ getModuleInfo: (id: string) => { importers: readonly string[] } | null }} Modules */

/**
 * What the workspace starts with comes in two files, its own and what other pages start with too:
 * each file is a way there and back on a phone's line. Left alone, whatever a part that is loaded
 * later shares with it would be a file.
 * @param {string} id
 * @param {Modules} modules
 */
function chunkOf(id, modules) {
  const pages = importersOf(id, modules).map(
    (path) => /islands\/(\w+|account\/\w+)\.svelte$/.exec(path)?.[1],
  );
  if (!pages.includes("Workspace")) return null;
  const others = ["Admin", "Settings", "account/LogIn", "account/Register"];
  return others.some((page) => pages.includes(page)) ? "common" : "workspace";
}

/**
 * A module and all that import it as they start, directly or not.
 * @param {string} id
 * @param {Modules} modules
 */
function importersOf(id, modules) {
  const found = new Set([id]);
  for (const one of found)
    for (const by of modules.getModuleInfo(one)?.importers ?? []) found.add(by);
  return [...found];
}

export default defineConfig({
  output: "static",
  integrations: [svelte(), shells(), preloads(), compressed()],
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
    // One file of styles: what is loaded later would ask for those of a script it shares by a
    // name that Astro has changed.
    build: { cssCodeSplit: false },
    environments: {
      client: {
        build: {
          rolldownOptions: {
            output: {
              codeSplitting: { groups: [{ name: chunkOf, test: /\/src\// }] },
            },
          },
        },
      },
    },
    // The Host stays the page's own, since the API refuses an Origin that differs from it.
    server: { proxy: { "/api": { target: api, changeOrigin: false, ws: true } } },
  },
});
