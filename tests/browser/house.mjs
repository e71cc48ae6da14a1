// Starts the executable, on the demo's data or on nothing, or takes one that runs, and ends it again.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const option = (name) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};

/** { url, email, password, stop }: of `--url`, `--email` and `--password`, or of a demo started here. */
export async function house() {
  const url = option("url");
  if (url) {
    return { url, email: option("email") ?? "admin@dewline.example", password: option("password"), stop() {} };
  }
  const { found: [email, password], ...rest } = await start("demo", /sign in as (\S+) with the password (\S+)/);
  return { ...rest, email, password };
}

/** { url, link, stop }: a `serve` that has an empty data directory, asks nobody, and printed its set-up link. */
export async function emptyHouse() {
  const { found: [link], ...rest } = await start("serve", /(http:\/\/\S+\/set-up\?token=\S+)/);
  return { ...rest, link };
}

/** Starts it, and waits until it printed what is `wanted` and where it listens. */
async function start(command, wanted) {
  const binary = process.env.BINARY ?? new URL("../../target/debug/dewline", import.meta.url).pathname;
  const folder = mkdtempSync(join(tmpdir(), "dewline-browser-"));
  const child = spawn(binary, [command, "--data-dir", join(folder, "data")], {
    env: {
      ...process.env,
      DEWLINE_LISTEN: "127.0.0.1:0",
      DEWLINE_RATE_LIMITS__ENABLED: "false",
      ...(command === "serve" && { DEWLINE_DRUPAL_ORG__ENABLED: "false" }),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  let errors = "";
  child.stderr.on("data", (text) => { errors = (errors + text).slice(-4000); });
  const ready = new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${command} did not start in 5 minutes\n${said}\n${errors}`)), 300_000);
    child.on("exit", (code) => { clearTimeout(late); reject(new Error(`${command} ended with ${code}\n${said}\n${errors}`)); });
    child.stdout.on("data", (text) => {
      said += text;
      const at = said.match(/listening on (http:\/\/\S+)/);
      const found = said.match(wanted);
      if (at && found) { clearTimeout(late); resolve({ url: at[1], found: found.slice(1) }); }
    });
  });
  const stop = () => new Promise((done) => {
    const clean = () => { rmSync(folder, { recursive: true, force: true }); done(); };
    if (child.exitCode !== null) return clean();
    child.removeAllListeners("exit");
    child.once("exit", clean);
    child.kill("SIGTERM");
  });
  try {
    return { ...(await ready), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
