// Prints, as JSON, what an editor shows when the pointer rests on a name: the argument is a list of programs, each with `|` before the name.
import ts from "typescript";

const programs = new Map(JSON.parse(process.argv[2]).map((text, index) => [`${process.cwd()}/hover-${index}.ts`, text]));
const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile("tsconfig.json", ts.sys.readFile).config, ts.sys, process.cwd());
const host = {
  getCompilationSettings: () => options,
  getScriptFileNames: () => [...programs.keys()],
  getScriptVersion: () => "1",
  getScriptSnapshot: (name) => {
    const text = programs.get(name)?.replace("|", "") ?? ts.sys.readFile(name);
    return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
  },
  getCurrentDirectory: () => process.cwd(),
  getDefaultLibFileName: ts.getDefaultLibFilePath,
  fileExists: (name) => programs.has(name) || ts.sys.fileExists(name),
  readFile: ts.sys.readFile,
  directoryExists: ts.sys.directoryExists,
};
const service = ts.createLanguageService(host);
const shown = [...programs].map(([name, text]) => ts.displayPartsToString(service.getQuickInfoAtPosition(name, text.indexOf("|"))?.documentation));
process.stdout.write(JSON.stringify(shown));
