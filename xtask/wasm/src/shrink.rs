//! Makes the built module smaller without changing what it does.

use walrus::{FunctionBuilder, FunctionId, FunctionKind, LocalFunction, Module, passes::gc};

/// Where the standard library goes when it panics. None of these returns: each writes a message, which a browser has no
/// place for, and traps. Without the message nothing else is different, and all that formats messages can go.
const PANICS: &[&str] = &[
    "alloc::alloc::handle_alloc_error",
    "alloc::raw_vec::capacity_overflow",
    "alloc::raw_vec::handle_error",
    "core::cell::panic_already",
    "core::option::expect_failed",
    "core::option::unwrap_failed",
    "core::panicking::",
    "core::result::unwrap_failed",
    "core::slice::index::slice_index_fail",
    "core::slice::index::slice_end_index",
    "core::slice::index::slice_start_index",
    "core::str::slice_error_fail",
];

/// What writes values for developers. The widget does so in panics only, which a lint keeps true.
const DEBUG: &[&str] = &[" as core::fmt::Debug>::fmt", "std::panicking::panic_handler"];

/// Replaces the functions that only say why they trap by the trap, and drops what nothing calls any more. Answers how
/// many there were: none means that the module has lost its names.
pub fn cut_panics(module: &mut Module) -> usize {
    let local = module.funcs.iter_local().map(|(id, _)| id);
    let panics: Vec<FunctionId> = local.filter(|id| panics_at(module, *id)).collect();
    for id in &panics {
        let trap = trap_like(module, *id);
        module.funcs.get_mut(*id).kind = FunctionKind::Local(trap);
    }
    gc::run(module);
    panics.len()
}

fn panics_at(module: &Module, id: FunctionId) -> bool {
    let name = module.funcs.get(id).name.as_deref().map(plain_name).unwrap_or_default();
    PANICS.iter().any(|known| name.starts_with(known)) || DEBUG.iter().any(|known| name.contains(known))
}

/// A function of the same type that traps.
fn trap_like(module: &mut Module, id: FunctionId) -> LocalFunction {
    let kind = module.types.get(module.funcs.get(id).ty());
    let (takes, gives) = (kind.params().to_vec(), kind.results().to_vec());
    let mut builder = FunctionBuilder::new(&mut module.types, &takes, &gives);
    builder.func_body().unreachable();
    let arguments = takes.into_iter().map(|kind| module.locals.add(kind)).collect();
    builder.local_func(arguments)
}

/// A path without the hashes of crates: `core[c5930c85a12de822]::str::count` is `core::str::count`.
fn plain_name(name: &str) -> String {
    let mut depth = 0;
    let outside = |c: &char| {
        depth += i32::from(*c == '[');
        let outside = depth == 0;
        depth -= i32::from(*c == ']');
        outside
    };
    name.chars().filter(outside).collect()
}

/// Gives what module and JavaScript call each other by short names in both: the long ones end with hashes, which no
/// compressor can do anything about.
pub fn rename(module: &mut Module, glue: &str) -> String {
    let mut names = Vec::new();
    for (at, import) in module.imports.iter_mut().enumerate() {
        if is_hashed(&import.name) {
            names.push((std::mem::replace(&mut import.name, format!("i{at}")), format!("i{at}")));
        }
        names.push((std::mem::replace(&mut import.module, "w".into()), "w".into()));
    }
    for (at, export) in module.exports.iter_mut().enumerate() {
        if is_hashed(&export.name) {
            names.push((std::mem::replace(&mut export.name, format!("_e{at}")), format!("_e{at}")));
        }
    }
    // The longest first: one name may begin with another.
    names.sort_by_key(|(long, _)| std::cmp::Reverse(long.len()));
    names.dedup();
    names.iter().fold(glue.to_owned(), |glue, (long, short)| glue.replace(long.as_str(), short))
}

/// Whether a name ends with sixteen hexadecimal digits.
fn is_hashed(name: &str) -> bool {
    let tail = name.len().checked_sub(16).and_then(|start| name.get(start..));
    tail.is_some_and(|tail| tail.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The largest functions with their instructions, one a line.
pub fn largest(module: &Module, count: usize) -> String {
    let mut all: Vec<_> = module.funcs.iter_local().map(|(id, local)| (local.size(), id)).collect();
    all.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
    let name = |id| module.funcs.get(id).name.as_deref().map(plain_name).unwrap_or_default();
    all.into_iter().take(count).map(|(size, id)| format!("{size:>6}  {}\n", name(id))).collect()
}

#[cfg(test)]
mod tests {
    use walrus::{ModuleConfig, ValType};

    use super::*;

    /// One function that panics, called by one that is exported, which also calls an import.
    fn module() -> Module {
        let mut module = Module::with_config(ModuleConfig::new());
        let ty = module.types.add(&[ValType::I32], &[]);
        let (import, _) = module.add_import_func("./glue.js", "__wbg_now_463ac581d2fc7ea3", ty);
        let mut deep = FunctionBuilder::new(&mut module.types, &[], &[]);
        deep.name("core[0123]::fmt::write".into()).func_body().i32_const(1).drop();
        let deep = deep.finish(Vec::new(), &mut module.funcs);
        let mut panics = FunctionBuilder::new(&mut module.types, &[ValType::I32], &[]);
        panics.name("core[0123]::panicking::panic_fmt".into()).func_body().call(deep).unreachable();
        let argument = module.locals.add(ValType::I32);
        let panics = panics.finish(vec![argument], &mut module.funcs);
        let mut run = FunctionBuilder::new(&mut module.types, &[], &[]);
        run.name("widget::run".into()).func_body().i32_const(7).call(import).i32_const(7).call(panics);
        let run = run.finish(Vec::new(), &mut module.funcs);
        module.exports.add("run__h0123456789abcdef", run);
        module
    }

    #[test]
    fn what_only_words_a_panic_goes_and_the_rest_stays() {
        let mut module = module();
        assert_eq!(cut_panics(&mut module), 1);
        let names: Vec<_> =
            module.funcs.iter_local().filter_map(|(id, _)| module.funcs.get(id).name.clone()).collect();
        assert!(!names.iter().any(|name| name.contains("fmt::write")), "{names:?}");
        assert!(names.iter().any(|name| name == "widget::run"), "{names:?}");
        assert!(Module::from_buffer(&module.emit_wasm()).is_ok(), "it is still a module");
    }

    #[test]
    fn module_and_script_use_the_same_short_names() {
        let mut module = module();
        let glue = "{'./glue.js': {__wbg_now_463ac581d2fc7ea3: now}}; wasm.run__h0123456789abcdef()";
        assert_eq!(rename(&mut module, glue), "{'w': {i0: now}}; wasm._e0()");
        assert!(module.imports.find("w", "i0").is_some());
        assert!(module.exports.iter().any(|export| export.name == "_e0"));
    }
}
