/** The script of the page: sign in, upload with progress, list, delete. */

const find = (id) => document.getElementById(id);
const sizes = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

function formatSize(bytes) {
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  while (bytes >= 1024 && unit < units.length - 1) {
    bytes /= 1024;
    unit++;
  }
  return `${sizes.format(bytes)} ${units[unit]}`;
}

/** What the server says went wrong: problem details, RFC 9457. */
function explain(problem, status) {
  const reasons = problem?.errors?.map(({ pointer, detail }) => `${pointer.slice(1)}: ${detail}`);
  return reasons?.join("; ") || problem?.detail || problem?.title || `Failed with status ${status}`;
}

function complain(message) {
  find("alert").textContent = message;
  find("alert").hidden = message === "";
}

async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: { accept: "application/json", ...body && { "content-type": "application/json" } },
    ...body && { body: JSON.stringify(body) },
  });
  const answer = response.status === 204 ? undefined : await response.json().catch(() => undefined);
  if (!response.ok) {
    const error = new Error(explain(answer, response.status));
    error.status = response.status;
    throw error;
  }
  return answer;
}

/** Runs what a click began, and shows what went wrong. */
async function attempt(action) {
  complain("");
  try {
    await action();
  } catch (error) {
    if (error.status === 401) show(undefined);
    complain(error.message);
  }
}

function show(user) {
  find("login").hidden = user !== undefined;
  find("files").hidden = user === undefined;
  find("user").textContent = user ?? "";
}

async function enter() {
  const { user } = await call("GET", "/api/me");
  show(user);
  await refresh();
}

async function refresh() {
  const { files, usedBytes, maxBytes } = await call("GET", "/api/files");
  find("list").replaceChildren(...files.map(fileRow));
  find("usage").textContent = `${formatSize(usedBytes)} of ${formatSize(maxBytes)} in use`;
}

function fileRow(file) {
  const row = find("file-row").content.cloneNode(true);
  const link = row.querySelector(".name");
  link.textContent = file.name;
  link.href = file.url;
  row.querySelector(".size").textContent = formatSize(file.size);
  row.querySelector(".digest").textContent = file.sha256;
  row.querySelector("time").textContent = new Date(file.uploadedAt).toLocaleString();
  row.querySelector("time").dateTime = file.uploadedAt;
  row.querySelector(".delete").addEventListener("click", () =>
    attempt(async () => {
      await call("DELETE", `/api/files/${file.id}`);
      await refresh();
    }));
  return row;
}

/** fetch() tells nothing of how far an upload is; XMLHttpRequest does. */
function upload(file) {
  const row = find("upload-row").content.firstElementChild.cloneNode(true);
  const state = row.querySelector(".state");
  const bar = row.querySelector("progress");
  const cancel = row.querySelector(".cancel");
  const request = new XMLHttpRequest();
  row.querySelector(".name").textContent = file.name;
  find("uploads").append(row);

  const { promise, resolve } = Promise.withResolvers();
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    bar.value = loaded / total;
    state.textContent = `${Math.floor(100 * loaded / total)} %`;
  });
  for (const [type, text] of [["abort", "Cancelled"], ["error", "Connection lost"]]) {
    request.addEventListener(type, () => state.textContent = text);
  }
  request.addEventListener("loadend", () => {
    if (request.status === 201) row.remove();
    else if (request.status !== 0) state.textContent = explain(request.response, request.status);
    bar.remove();
    cancel.textContent = "Dismiss";
    resolve();
  });
  cancel.addEventListener("click", () => {
    if (request.readyState === XMLHttpRequest.DONE) row.remove();
    else request.abort();
  });

  const form = new FormData();
  form.append("files", file);
  request.open("POST", "/api/files");
  request.setRequestHeader("accept", "application/json");
  request.responseType = "json";
  request.send(form);
  return promise;
}

async function uploadAll(files) {
  await Promise.all(Array.from(files, upload));
  await refresh();
}

find("login-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const { name, password } = Object.fromEntries(new FormData(event.target));
  attempt(async () => {
    await call("POST", "/api/login", { name, password });
    event.target.reset();
    await enter();
  });
});

find("logout").addEventListener("click", () =>
  attempt(async () => {
    await call("POST", "/api/logout");
    show(undefined);
  }));

find("picker").addEventListener("change", ({ target }) => {
  const files = [...target.files];
  target.value = "";
  attempt(() => uploadAll(files));
});

for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
  find("drop").addEventListener(type, (event) => {
    event.preventDefault();
    find("drop").classList.toggle("over", type === "dragenter" || type === "dragover");
    if (type === "drop") attempt(() => uploadAll(event.dataTransfer.files));
  });
}

// Not signed in is where everybody begins, and no reason to complain.
enter().catch((error) => {
  show(undefined);
  if (error.status !== 401) complain(error.message);
});
