// IronCalc's WebAssembly, and what it asks of JavaScript, as far as the page calls it.

const EXACT = 'the calculator of this page could not start';

export class Calculator {
  static async start(wasm, workbook) {
    const calculator = new Calculator();
    const module = await WebAssembly.compile(wasm);
    const given = calculator.imports();
    const imports = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      const found = Object.keys(given).find((known) => name.startsWith(known));
      (imports[from] ||= {})[name] = found ? given[found] : () => {
        throw new Error(`${EXACT}: it asks for ${name}`);
      };
    }
    const instance = await WebAssembly.instantiate(module, imports);
    calculator.wasm = instance.exports;
    calculator.wasm.__wbindgen_start();
    const at = calculator.bytes(workbook);
    const [model, error, failed] = calculator.wasm.model_from_bytes(
      at, workbook.length, ...calculator.text('en'),
    );
    if (failed) throw new Error(`${EXACT}: ${calculator.wasm.__wbindgen_externrefs.get(error)}`);
    calculator.model = model;
    calculator.wasm.model_pauseEvaluation(model);
    return calculator;
  }

  // Puts what is typed into a cell; computes nothing yet.
  put([sheet, row, column], typed) {
    const [error, failed] = this.wasm.model_setUserInput(
      this.model, sheet, row, column, ...this.text(typed),
    );
    if (failed) throw new Error(this.wasm.__wbindgen_externrefs.get(error));
  }

  evaluate() {
    this.wasm.model_evaluate(this.model);
  }

  // The value of a cell: a number, a text, true or false, null, or an object with its error.
  value([sheet, row, column]) {
    const [kind] = this.wasm.model_getCellType(this.model, sheet, row, column);
    const [at, length] = this.wasm.model_getFormattedCellValue(this.model, sheet, row, column);
    const text = this.read(at, length);
    this.wasm.__wbindgen_free(at, length, 1);
    if (kind === 16) return { error: text };
    if (kind === 2) return text;
    if (kind === 4) return text === 'TRUE';
    return text === '' ? null : Number(text);
  }

  bytes(data) {
    const at = this.wasm.__wbindgen_malloc(data.length, 1) >>> 0;
    new Uint8Array(this.wasm.memory.buffer).set(data, at);
    return at;
  }

  text(text) {
    const data = new TextEncoder().encode(text);
    return [this.bytes(data), data.length];
  }

  read(at, length) {
    return new TextDecoder().decode(new Uint8Array(this.wasm.memory.buffer, at >>> 0, length));
  }

  imports() {
    return {
      __wbg_Error_: (at, length) => Error(this.read(at, length)),
      __wbg___wbindgen_throw_: (at, length) => { throw new Error(this.read(at, length)); },
      __wbindgen_cast_0000000000000003: (at, length) => this.read(at, length),
      __wbindgen_init_externref_table: () => {
        const table = this.wasm.__wbindgen_externrefs;
        const offset = table.grow(4);
        table.set(0, undefined);
        [undefined, null, true, false].forEach((value, i) => table.set(offset + i, value));
      },
      __wbg_now_: () => Date.now(),
      __wbg_random_: () => Math.random(),
      __wbg_ic_tz_validate_: () => 1,
    };
  }
}

// What a browser can unpack: base64 of gzip.
export async function unpacked(base64) {
  const packed = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
