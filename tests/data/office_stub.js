// Office.js as it answers inside Excel, as far as the task pane of xlwings Server asks: the real one
// does nothing outside Excel. Written for the test of the task pane, after Microsoft's API reference.
"use strict";
const functions = {};
// Everything that a console would show in red.
const faults = [];
console.error = (...said) => faults.push(said.join(" "));
globalThis.addEventListener("error", (event) => faults.push(event.message), true);
globalThis.addEventListener("unhandledrejection", (event) => faults.push(String(event.reason)));
// Whatever else is asked of the workbook is empty.
const nothing = new Proxy(function () {}, {
  get: (_, name) => (name === "items" ? [] : name === "then" ? undefined : nothing),
  apply: () => nothing,
});
class RequestContext {
  constructor() {
    const loaded = { load() {} };
    const datetimeFormat = { ...loaded, shortDatePattern: "m/d/yyyy" };
    this.application = { cultureInfo: { ...loaded, name: "en-US", datetimeFormat } };
    this.workbook = { ...loaded, name: "Book1.xlsx", worksheets: nothing };
  }
  async sync() {}
}
globalThis.Excel = { RequestContext, run: async (work) => work(new RequestContext()) };
globalThis.CustomFunctions = { associate: (name, call) => (functions[name] = call) };
globalThis.Office = {
  actions: { associate() {} },
  addin: {},
  context: { requirements: { isSetSupported: () => true } },
  onReady: async (ready) => {
    const info = { host: "Excel", platform: "OfficeOnline" };
    if (ready) await ready(info);
    return info;
  },
};
// What a cell would call, as Excel would call it; the page keeps the answers for the test to read.
globalThis.addEventListener("load", async () => {
  const invocation = () => ({ address: "Sheet1!A1" });
  const error = { type: "Error", basicValue: "#N/A", errorType: "NotAvailable" };
  const answers = {
    functions: Object.keys(functions).length,
    scalar: await functions.TOK_SUBSIDY([[1]], [[3]], invocation()),
    grid: await functions.TOK_SUBSIDY([[1], [2]], [[3, 4]], invocation()),
    omitted: await functions.TOK_SUBSIDY_LOSS([[1e6]], [[1]], [[2]], null, invocation()),
    outside: await functions.TOK_SUBSIDY([[-1]], [[3]], invocation()),
    error: await functions.TOK_SUBSIDY([[error, 1]], [[3]], invocation()),
    empty: await functions.TOK_SUBSIDY([[""]], [[3]], invocation()),
  };
  document.documentElement.dataset.answers = JSON.stringify({ answers, faults });
});
