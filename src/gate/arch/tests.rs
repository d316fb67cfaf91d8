//! Imports of five languages, forbidden and not, and circles.

use super::{Paths, imports};
use crate::domain::{CheckKind, Setting, Settings, Verdict};
use crate::gate::testing::{Trees, settings, texts};

fn rules() -> Settings {
    settings([
        ("files", texts(&["src/**/*.rs", "src/*.rs"])),
        ("deny", texts(&["src/domain -> src/engine", "src -> reqwest"])),
        ("cycles", Setting::Truth(true)),
    ])
}

const ENGINE: (&str, &str) = ("src/engine/mod.rs", "use crate::domain::gate::Gate;\n");
const GATE: (&str, &str) = ("src/domain/gate.rs", "use std::fmt;\n");

#[test]
fn every_outcome() {
    let breaks = ("src/domain/gate.rs", "use std::fmt;\nuse crate::engine::State;\n");
    let outside = ("src/domain/gate.rs", "use reqwest::Client;\n");
    let harmless = ("src/domain/gate.rs", "use std::io;\n");
    let readme = ("README.md", "hi\n");
    for (base, head, verdict, says) in [
        (vec![ENGINE, GATE], vec![ENGINE, harmless], Verdict::Pass, "2 imports as the rules want"),
        (vec![ENGINE, GATE], vec![ENGINE, breaks], Verdict::Fail, "2 new imports that the rules forbid"),
        (vec![ENGINE, GATE], vec![ENGINE, outside], Verdict::Fail, "1 new import that the rules forbid"),
        (vec![ENGINE, GATE], vec![ENGINE, GATE, readme], Verdict::NotApplicable, "touches none of its files"),
        (
            vec![ENGINE, outside],
            vec![("src/engine/mod.rs", ""), outside],
            Verdict::Pass,
            "1 forbidden ones that the base has",
        ),
        (vec![readme], vec![("README.md", "ho\n")], Verdict::Error, "covers no file"),
    ] {
        let judged = Trees::new(&base, &head).judged(CheckKind::Arch, &rules());
        assert!(judged.verdict == verdict && judged.summary.contains(says), "{judged:?}");
    }
    let judged = Trees::new(&[ENGINE, GATE], &[ENGINE, breaks]).judged(CheckKind::Arch, &rules());
    assert!(judged.text.contains("src/domain/gate.rs:2: imports src/engine/mod.rs: forbidden"), "{judged:?}");
    assert!(judged.text.contains("closes a circle of src/domain/gate.rs, src/engine/mod.rs"), "{judged:?}");
}

#[test]
fn imports_are_found_where_they_lead() {
    let paths: Vec<String> = [
        "src/a/mod.rs",
        "src/a/b.rs",
        "app/orders.py",
        "app/__init__.py",
        "web/cart.ts",
        "web/ui/index.tsx",
        "pkg/store/db.go",
        "src/main/java/com/acme/Orders.java",
    ]
    .map(str::to_owned)
    .into();
    let paths = Paths::new(&paths);
    for (path, code, found) in [
        ("src/x.rs", "use crate::a::{b::B, C};", vec!["src/a/b.rs", "src/a/mod.rs"]),
        ("src/x.rs", "    let y = crate::a::b::go();", vec!["src/a/b.rs"]),
        ("src/x.rs", "// use crate::a::b;", vec![]),
        ("src/x.rs", "pub use serde::Serialize;", vec!["serde/Serialize"]),
        ("app/main.py", "from app.orders import total", vec!["app/orders.py"]),
        ("app/main.py", "from . import orders", vec!["app/orders.py"]),
        ("app/main.py", "import os, app.orders", vec!["os", "app/orders.py"]),
        ("web/main.ts", "import { Cart } from \"./cart\";", vec!["web/cart.ts"]),
        ("web/main.ts", "import ui from '../web/ui/index.js'", vec!["web/ui/index.tsx"]),
        ("web/main.ts", "const fs = require(\"node:fs\");", vec!["node:fs"]),
        ("cmd/main.go", "import \"example.org/shop/pkg/store\"", vec!["pkg/store"]),
        (
            "cmd/main.go",
            "import (\n\t\"fmt\"\n\tdb \"example.org/shop/pkg/store\"\n)\nvar x = \"pkg\"",
            vec!["fmt", "pkg/store"],
        ),
        ("src/main/java/X.java", "import com.acme.Orders;", vec!["src/main/java/com/acme/Orders.java"]),
    ] {
        let said: Vec<String> = imports(path, code, &paths).into_iter().map(|import| import.to).collect();
        assert_eq!(said, found, "{code}");
    }
}
