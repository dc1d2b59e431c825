// Call functions in Pyodide under Node: node pyodide.mjs PYODIDE PACKAGES FOLDER ASKED ANSWERS
// PYODIDE is its folder, PACKAGES are its packages with commas between, FOLDER holds Python modules
// with `inside` among them, ASKED and ANSWERS are files. Without FOLDER the packages are only loaded.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { join } from "node:path";

const [place, packages, folder, asked, answers] = process.argv.slice(2);
try {
  const { loadPyodide } = await import(pathToFileURL(join(place, "pyodide.mjs")));
  const pyodide = await loadPyodide({ indexURL: place, stdout: () => {} });
  const names = packages.split(",").filter(Boolean);
  await pyodide.loadPackage(names, { messageCallback: () => {}, errorCallback: () => {} });
  for (const name of names) pyodide.pyimport(name);
  if (folder) {
    pyodide.FS.mkdirTree("/tokenbook");
    pyodide.FS.mount(pyodide.FS.filesystems.NODEFS, { root: folder }, "/tokenbook");
    pyodide.runPython("import sys; sys.path.insert(0, '/tokenbook')");
    writeFileSync(answers, pyodide.pyimport("inside").answers(readFileSync(asked, "utf8")));
  }
} catch (error) {
  const lines = String(error.message ?? error).split("\n").filter((line) => line.trim());
  console.error(lines.findLast((line) => line.includes("Error")) ?? lines.at(-1));
  process.exit(1);
}
