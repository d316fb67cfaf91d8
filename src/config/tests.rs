//! Whole configurations: layers over layers, and tables of broken files with the exact words for each.

use std::fs;
use std::path::PathBuf;

use crate::config::{Additions, Config, Flags, Loaded, Paths, load};
use crate::domain::{Digest, Enforcement, GateKind, KeySource, ModelId, ProviderSpec, Reach, ServerSpec, WireFormat};

const PROVIDERS: &str = "[providers.openai]\nkind = \"openai-chat\"\nbase_url = \"https://api.openai.com/v1/\"\n\
                         api_key_env = \"OPENAI_API_KEY\"\n[providers.local]\nkind = \"openai-chat\"\n\
                         base_url = \"http://127.0.0.1:8080/v1\"\n";

fn try_load(user: &str, repository: &str, env: &[(&str, &str)], flags: &Flags) -> Result<Loaded, String> {
    let dir = tempfile::tempdir().unwrap();
    let paths = Paths { user: Some(dir.path().join("user")), repository: Some(dir.path().join("repo")) };
    fs::create_dir_all(dir.path().join("user")).unwrap();
    fs::create_dir_all(dir.path().join("repo/.windlass")).unwrap();
    fs::write(paths.user_file().unwrap(), user).unwrap();
    fs::write(paths.repository_file().unwrap(), repository).unwrap();
    let env = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
    let prefix = format!("{}/", dir.path().display());
    load(&paths, &env, flags).map_err(|error| error.to_string().replace(&prefix, ""))
}

fn loaded(user: &str, repository: &str) -> Config {
    try_load(user, repository, &[], &Flags::default()).unwrap().config
}

#[test]
fn only_the_person_does_without_a_sandbox() {
    assert!(loaded("", "").sandbox && loaded("sandbox = \"on\"\n", "").sandbox);
    assert!(!loaded("sandbox = \"off\"\n", "").sandbox);
    let error = try_load("sandbox = false\n", "", &[], &Flags::default()).unwrap_err();
    assert!(error.contains("must be a string"), "{error}");
    let error = try_load("sandbox = \"no\"\n", "", &[], &Flags::default()).unwrap_err();
    assert!(error.contains("\"sandbox\" is \"on\" or \"off\", not \"no\""), "{error}");
}

#[test]
fn nothing_configured_is_a_configuration() {
    let Loaded { config, warnings } = load(&Paths::default(), &|_| None, &Flags::default()).unwrap();
    assert_eq!((config.rounds, config.context_tokens, config.keymap.as_str()), (5, 24_000, "vim"));
    assert_eq!((config.theme, config.author, config.commands_digest), (None, None, None));
    assert_eq!((config.workflow.name(), config.sources, warnings), ("scale", vec![], vec![]));
}

#[test]
fn a_repository_file_in_full() {
    let text = r#"workflow = "scale"
[roles]
author = "openai/gpt-5"
critic = "local/qwen/qwen3"
[[gate]]
name = "tests"
argv = ["cargo", "test"]
[[gate]]
name = "lint"
argv = ["./lint.sh"]
dir = "tools"
timeout_s = 30
env = ["RUSTFLAGS"]
network = true
writable = ["~/.cache/go-build", "/srv/cache"]
enforcement = "advisory"
[[probe]]
name = "latency"
argv = ["./latency.sh"]
[measure]
rounds = 3
[context]
tokens = 10_000
files = ["src/lib.rs"]
[boundary]
allow = ["src/**"]
deny = ["src/vendor/**"]
"#;
    let config = loaded(PROVIDERS, text);
    assert_eq!(config.author, Some(ModelId("openai/gpt-5".into())));
    assert_eq!(config.critic, Some(ModelId("local/qwen/qwen3".into())));
    let [tests, lint] = &config.gates[..] else { panic!("{:?}", config.gates) };
    let GateKind::Command(spec) = &tests.kind else { panic!() };
    assert_eq!((tests.enforcement, spec.timeout_s, spec.dir.as_str()), (Enforcement::Required, 600, ""));
    let GateKind::Command(spec) = &lint.kind else { panic!() };
    assert_eq!((lint.enforcement, spec.timeout_s, spec.dir.as_str()), (Enforcement::Advisory, 30, "tools"));
    assert_eq!(spec.env, ["RUSTFLAGS"]);
    assert!(spec.reach.network && config.probes[0].spec.reach == Reach::default());
    assert_eq!(spec.reach.writable, ["~/.cache/go-build", "/srv/cache"]);
    assert_eq!((config.probes[0].name.as_str(), config.probes[0].spec.timeout_s), ("latency", 120));
    assert_eq!((config.rounds, config.context_tokens), (3, 10_000));
    assert_eq!(config.context_files, ["src/lib.rs"]);
    assert_eq!((config.boundary_allow, config.boundary_deny), (vec!["src/**".into()], vec!["src/vendor/**".into()]));
    assert_eq!(config.commands_digest, Some(Digest::of(text.as_bytes())));
    assert_eq!(config.sources.len(), 2);
    assert_eq!(
        config.providers["openai"],
        ProviderSpec::Server(ServerSpec {
            format: WireFormat::OpenAiChat,
            base_url: "https://api.openai.com/v1".into(),
            key: Some(KeySource::Env("OPENAI_API_KEY".into()))
        })
    );
}

#[test]
fn a_script_plays_from_beside_its_file() {
    let config = loaded("[providers.s]\nkind = \"script\"\ndir = \"replies\"\nchars_per_second = 400\n", "");
    let ProviderSpec::Script { dir, chars_per_second } = &config.providers["s"] else { panic!() };
    assert!(dir.is_absolute() && dir.ends_with(PathBuf::from("user/replies")), "{dir:?}");
    assert_eq!(*chars_per_second, Some(400));
}

#[test]
fn every_kind_of_provider_is_read_and_written_alike() {
    let server =
        |format, base_url: &str, key| ProviderSpec::Server(ServerSpec { format, base_url: base_url.to_owned(), key });
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let command = KeySource::Command(words(&["pass", "show", "openai"]));
    let (file, env) = (KeySource::File("/keys/anthropic".into()), KeySource::Env("GEMINI_API_KEY".into()));
    let providers = [
        ("a", server(WireFormat::OpenAiResponses, "https://api.openai.com/v1", Some(command))),
        ("b", server(WireFormat::Anthropic, "https://api.anthropic.com/v1", Some(file))),
        ("c", server(WireFormat::Gemini, "https://generativelanguage.googleapis.com/v1beta", Some(env))),
        ("d", server(WireFormat::Ollama, "http://127.0.0.1:11434", None)),
        ("e", ProviderSpec::Command { argv: words(&["claude", "-p", "--model", "{model}"]) }),
        ("f", ProviderSpec::Script { dir: "/replies".into(), chars_per_second: Some(9) }),
        ("g", ProviderSpec::Cassette { file: "/sessions/one.jsonl".into(), timed: true }),
        ("h", ProviderSpec::Cassette { file: "/sessions/two.jsonl".into(), timed: false }),
    ];
    let providers = providers.map(|(name, provider)| (name.to_owned(), provider));
    let text = Additions { providers: providers.to_vec(), ..Additions::default() }.lines().unwrap();
    assert!(text.contains("api_key_cmd = [\"pass\", \"show\", \"openai\"]"), "{text}");
    assert_eq!(loaded(&text, "").providers, providers.into());
}

#[test]
fn a_key_file_may_stand_beside_the_file_that_names_it() {
    let text = "[providers.x]\nkind = \"gemini\"\nbase_url = \"http://h/v1beta\"\napi_key_file = \"key\"\n";
    let ProviderSpec::Server(server) = &loaded(text, "").providers["x"] else { panic!() };
    assert!(matches!(&server.key, Some(KeySource::File(path)) if path.is_absolute() && path.ends_with("user/key")));
}

#[test]
fn each_layer_covers_the_one_below() {
    let user = format!("{PROVIDERS}[roles]\nauthor = \"openai/user\"\ncritic = \"local/c\"\n[ui]\ntheme = \"user\"\n");
    let repository = "[roles]\nauthor = \"openai/repository\"\n";
    let env = [("WINDLASS_AUTHOR", "openai/env"), ("WINDLASS_THEME", "env"), ("WINDLASS_KEYMAP", "")];
    let flags = Flags { author: Some("openai/flag".into()), theme: Some("flag".into()), ..Flags::default() };
    let none = Flags::default();
    for (repository, env, flags, author, theme) in [
        ("", &[][..], &none, "openai/user", "user"),
        (repository, &[], &none, "openai/repository", "user"),
        (repository, &env, &none, "openai/env", "env"),
        (repository, &env, &flags, "openai/flag", "flag"),
    ] {
        let config = try_load(&user, repository, env, flags).unwrap().config;
        assert_eq!(config.author, Some(ModelId(author.into())));
        assert_eq!(config.critic, Some(ModelId("local/c".into())));
        assert_eq!((config.theme.as_deref(), config.keymap.as_str()), (Some(theme), "vim"));
    }
}

#[test]
fn allowed_but_worth_a_warning() {
    let warned = |user: &str, repository: &str| -> Vec<String> {
        let loaded = try_load(user, repository, &[], &Flags::default()).unwrap();
        loaded.warnings.iter().map(ToString::to_string).collect()
    };
    let roles = |author: &str, critic: &str| format!("[roles]\nauthor = {author:?}\ncritic = {critic:?}\n");
    assert_eq!(
        warned(PROVIDERS, &roles("openai/a", "openai/b")),
        [
            ".windlass/config.toml:3:10: author and critic are both of \"openai\"; another vendor's model objects to more"
        ]
    );
    assert_eq!(
        warned("", "[roles]\nauthor = \"openai/a\"\n"),
        [".windlass/config.toml:2:10: \"openai/a\" needs a provider called \"openai\", and none is configured yet"]
    );
    let none: [String; 0] = [];
    assert_eq!(warned(PROVIDERS, &roles("local/x/a", "local/y/b")), none);
    let script = "[providers.script]\nkind = \"script\"\ndir = \"/replies\"\n";
    assert_eq!(warned(script, &roles("script/author-demo", "script/critic-demo")), none);
}

#[test]
fn broken_repository_files() {
    let gate = "[[gate]]\nname = \"tests\"\nargv = [\"make\"]\n";
    for (text, expected) in [
        // Syntax.
        ("workflow = scale\n", "1:12: not valid TOML: string values must be quoted, expected literal string"),
        ("\n[roles\n", "2:7: not valid TOML: unclosed table, expected `]`"),
        ("workflow = \"scale\"\nworkflow = \"scale\"\n", "2:1: not valid TOML: duplicate key"),
        // Unknown keys.
        (&format!("{gate}  timout_s = 3\n"), "4:3: unknown key \"timout_s\" in [[gate]]; did you mean \"timeout_s\"?"),
        ("é = 1\n", "1:1: not valid TOML: invalid unquoted key, expected letters, numbers, `-`, `_`"),
        ("[[gates]]\nname = \"a\"\n", "1:3: unknown key \"gates\"; did you mean \"gate\"?"),
        (
            "colour = 1\n",
            "1:1: unknown key \"colour\"; known: boundary, budget, context, gate, measure, probe, review, roles, schedule, workflow",
        ),
        ("[measure]\nround = 2\n", "2:1: unknown key \"round\" in [measure]; did you mean \"rounds\"?"),
        ("[context]\nbudget = 2\n", "2:1: unknown key \"budget\" in [context]; known: tokens, files"),
        // A person's own to say.
        (
            "[providers.x]\nkind = \"script\"\n",
            "1:2: a repository can't set \"providers\"; move it to user/config.toml",
        ),
        ("base_url = \"http://evil\"\n", "1:1: a repository can't set \"base_url\"; move it to user/config.toml"),
        ("editor = \"vi\"\n", "1:1: a repository can't set \"editor\"; move it to user/config.toml"),
        ("[ui]\ntheme = \"x\"\n", "1:2: a repository can't set \"ui\"; move it to user/config.toml"),
        ("[telemetry]\non = true\n", "1:2: a repository can't set \"telemetry\", now or ever; remove it"),
        (
            "[[gate]]\nname = \"a\"\nargv = [\"x\"]\nwritable = [\"~/..\"]\n",
            "4:13: \"~/..\" must be a directory below \"/\" or \"~/\", without \"..\"; the worktree can be written in anyway",
        ),
        ("sandbox = false\n", "1:1: a repository can't set \"sandbox\", now or ever; remove it"),
        // Types and ranges.
        ("workflow = 1\n", "1:12: \"workflow\" must be a string, not a whole number"),
        ("roles = \"x\"\n", "1:9: \"roles\" must be a table, not a string: write [roles]"),
        ("[gate]\nname = \"a\"\n", "1:1: \"gate\" must be tables, not a table: write [[gate]] above each"),
        ("gate = [1]\n", "1:9: \"gate\" must be tables, not a whole number: write [[gate]] above each"),
        ("[measure]\nrounds = 0\n", "2:10: \"rounds\" in [measure] must be from 1 to 100, not 0"),
        ("[measure]\nrounds = -1\n", "2:10: \"rounds\" in [measure] must be from 1 to 100, not -1"),
        (
            "[measure]\nrounds = 2.5\n",
            "2:10: \"rounds\" in [measure] must be a whole number, not a number with a fraction",
        ),
        ("[context]\nfiles = \"a\"\n", "2:9: \"files\" in [context] must be an array of strings, not a string"),
        ("[context]\nfiles = [\"a\", 1]\n", "2:15: \"files\" in [context] must hold strings only, not a whole number"),
        ("[boundary]\nallow = [\"../x\"]\n", "2:10: \"../x\" must be a path inside the repository, without \"..\""),
        // Gates and probes.
        ("[[gate]]\nargv = [\"make\"]\n", "1:1: missing key \"name\" in [[gate]]; add it"),
        ("\n[[gate]]\nname = \"a\"\n", "2:1: missing key \"argv\" in [[gate]]; add it"),
        (
            "[[gate]]\nname = \"\"\nargv = [\"a\"]\n",
            "2:8: \"name\" in [[gate]] is empty; write its value or leave it out",
        ),
        (
            "[[gate]]\nname = \"a\"\nargv = []\n",
            "3:8: \"argv\" in [[gate]] names no program; write argv = [\"make\", \"test\"]",
        ),
        (
            "[[gate]]\nname = \"a\"\nargv = \"make test\"\n",
            "3:8: \"argv\" must be an array, there is no shell: write argv = [\"make\", \"test\"]",
        ),
        (
            "[[gate]]\nname = \"a b\"\nargv = [\"x\"]\n",
            "2:8: \"a b\" can't name a gate: use letters, digits, \"-\", \"_\" and \".\", at most 64",
        ),
        (&format!("{gate}{gate}"), "5:8: there is a gate called \"tests\" already; give this one another name"),
        (
            "[[gate]]\nname = \"sections\"\nargv = [\"x\"]\n",
            "2:8: \"sections\" is the name of a built-in gate; give this one another name",
        ),
        (
            &format!("{gate}enforcement = \"requird\"\n"),
            "4:15: unknown enforcement \"requird\"; did you mean \"required\"?",
        ),
        (&format!("{gate}timeout_s = \"9\"\n"), "4:13: \"timeout_s\" in [[gate]] must be a whole number, not a string"),
        (&format!("{gate}dir = \"/tmp\"\n"), "4:7: \"/tmp\" must be a path inside the repository, without \"..\""),
        (
            &format!("{gate}env = [\"A=b\"]\n"),
            "4:8: \"A=b\" is not the name of an environment variable; \"env\" lists names to pass on, without values",
        ),
        (
            "[[probe]]\nname = \"p\"\nargv = [\"x\"]\nenforcement = \"required\"\n",
            "4:1: unknown key \"enforcement\" in [[probe]]; known: name, argv, dir, timeout_s, env, network, writable",
        ),
        // Roles and workflow.
        (
            "[roles]\nauthor = \"gpt-5\"\n",
            "2:10: \"gpt-5\" is not a model; write provider/model, such as \"openai/gpt-5\"",
        ),
        (
            "[roles]\nauthor = \"opnai/gpt-5\"\n",
            "2:10: there is no provider called \"opnai\"; did you mean \"openai\"?",
        ),
        (
            "[roles]\nauthor = \"openai/a\"\ncritic = \"openai/a\"\n",
            "3:10: law 3: the critic is another model; author and critic are the same (openai/a); choose another critic",
        ),
        ("[roles]\nauthr = \"openai/a\"\n", "2:1: unknown key \"authr\" in [roles]; did you mean \"author\"?"),
        ("workflow = \"scael\"\n", "1:12: there is no workflow called \"scael\"; did you mean \"scale\"?"),
    ] {
        let error = try_load(PROVIDERS, text, &[], &Flags::default()).unwrap_err();
        assert_eq!(error, format!(".windlass/config.toml:{expected}"), "of {text:?}");
    }
}

#[test]
fn broken_user_files() {
    for (text, expected) in [
        (
            "[[gate]]\nname = \"a\"\n",
            "1:3: \"gate\" belongs to a repository; move it to the repository's .windlass/config.toml",
        ),
        ("[review]\nreveal = \"later\"\n", "2:10: \"reveal\" is \"after-reading\" or \"at-once\", not \"later\""),
        ("[ui]\nthem = \"x\"\n", "2:1: unknown key \"them\" in [ui]; did you mean \"theme\"?"),
        ("[providers.x]\n", "1:1: missing key \"kind\" in [providers.x]; add it"),
        ("[providers.\"a b\"]\n", "1:12: \"a b\" can't name a provider: use letters, digits, \"-\", \"_\" and \".\""),
        (
            "[providers.x]\nkind = \"openai\"\n",
            "2:8: unknown kind \"openai\" in [providers.x]; known: openai-chat, openai-responses, anthropic, gemini, \
             ollama, command, acp, script",
        ),
        ("[providers.x]\nkind = \"openai-chat\"\n", "1:1: missing key \"base_url\" in [providers.x]; add it"),
        ("[providers.x]\nkind = \"script\"\n", "1:1: missing key \"dir\" in [providers.x]; add it"),
        (
            "[providers.x]\nkind = \"openai-chat\"\nbase_url = \"api.openai.com\"\n",
            "3:12: \"base_url\" in [providers.x] must be a URL such as \"https://api.openai.com/v1\"",
        ),
        (
            "[providers.x]\nkind = \"openai-chat\"\nbase_url = \"https://u:hunter2@host/v1\"\n",
            "3:12: \"base_url\" in [providers.x] must not hold a user or a password; name a key's variable in \
             \"api_key_env\"",
        ),
        (
            "[providers.x]\nkind = \"openai-chat\"\nbase_url = \"http://h/v1\"\napi_key_env = \"sk-hunter2\"\n",
            "4:15: \"api_key_env\" in [providers.x] is the name of an environment variable, such as OPENAI_API_KEY, \
             never the key itself",
        ),
        (
            "[providers.x]\nkind = \"openai-chat\"\nbase_url = \"http://h/v1\"\napi_key = \"sk-hunter2\"\n",
            "4:1: a key doesn't belong in a file: put it in an environment variable and name that in \"api_key_env\"",
        ),
        (
            "[providers.x]\nkind = \"gemini\"\nbase_url = \"h\"\n",
            "3:12: \"base_url\" in [providers.x] must be a URL such as \
             \"https://generativelanguage.googleapis.com/v1beta\"",
        ),
        (
            "[providers.x]\nkind = \"ollama\"\nbase_url = \"http://h\"\napi_key_cmd = \"pass show x\"\n",
            "4:15: \"api_key_cmd\" must be an array, there is no shell: write api_key_cmd = [\"pass\", \"show\", \"x\"]",
        ),
        (
            "[providers.x]\nkind = \"ollama\"\nbase_url = \"http://h\"\napi_key_file = \"f\"\napi_key_env = \"V\"\n",
            "4:16: \"api_key_file\" in [providers.x] is one place too many for one key; keep one of them",
        ),
        (
            "[providers.x]\nkind = \"command\"\nargv = []\n",
            "3:8: \"argv\" in [providers.x] names no program; write argv = [\"llm\", \"-m\", \"{model}\"]",
        ),
        ("[providers.x]\nkind = \"command\"\n", "1:1: missing key \"argv\" in [providers.x]; add it"),
    ] {
        let error = try_load(text, "", &[], &Flags::default()).unwrap_err();
        assert_eq!(error, format!("user/config.toml:{expected}"), "of {text:?}");
    }
}

#[test]
fn flags_and_environment_are_named() {
    let flags = Flags { critic: Some("qwen".into()), ..Flags::default() };
    assert_eq!(
        try_load(PROVIDERS, "", &[("WINDLASS_AUTHOR", "x/y")], &flags).unwrap_err(),
        "--critic: \"qwen\" is not a model; write provider/model, such as \"openai/gpt-5\"\n\
         WINDLASS_AUTHOR: there is no provider called \"x\"; known: local, openai"
    );
}

#[test]
fn one_model_under_two_names_is_one_model() {
    let user =
        format!("{PROVIDERS}[providers.again]\nkind = \"openai-chat\"\nbase_url = \"http://127.0.0.1:8080/v1\"\n");
    let roles = "[roles]\nauthor = \"local/a\"\ncritic = \"again/a\"\n";
    let error = try_load(&user, roles, &[], &Flags::default()).unwrap_err();
    assert!(error.starts_with(".windlass/config.toml:3:10: law 3:"), "{error}");

    let native = user.replace("[providers.again]\nkind = \"openai-chat\"", "[providers.again]\nkind = \"ollama\"");
    let native = native.replace("8080/v1\"\n", "8080\"\n");
    assert!(try_load(&native, roles, &[], &Flags::default()).unwrap_err().contains("law 3:"));

    let commands = |argv: &str| {
        let one = |name: &str| format!("[providers.{name}]\nkind = \"command\"\nargv = {argv}\n");
        one("local") + &one("again")
    };
    let roles = "[roles]\nauthor = \"local/a\"\ncritic = \"again/b\"\n";
    assert!(try_load(&commands("[\"llm\"]"), roles, &[], &Flags::default()).unwrap_err().contains("law 3:"));
    try_load(&commands("[\"llm\", \"-m\", \"{model}\"]"), roles, &[], &Flags::default()).unwrap();
}

#[test]
fn every_problem_of_every_file_is_reported() {
    let error = try_load("editr = \"x\"\n", "a1 = 1\n[measure]\nrounds = 0\n[[gate]]\n", &[], &Flags::default());
    let error = error.unwrap_err();
    let places: Vec<&str> = error.lines().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(
        places,
        [
            "user/config.toml:1:1",
            ".windlass/config.toml:1:1",
            ".windlass/config.toml:3:10",
            ".windlass/config.toml:4:1",
            ".windlass/config.toml:4:1"
        ]
    );
}

#[test]
fn what_is_no_text_is_refused_in_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let paths = Paths { user: None, repository: Some(dir.path().to_owned()) };
    fs::create_dir_all(dir.path().join(".windlass/config.toml")).unwrap();
    let error = load(&paths, &|_| None, &Flags::default()).unwrap_err();
    assert_eq!(error.to_string(), ".windlass/config.toml: failed to read it: it is not a file");
    fs::remove_dir(dir.path().join(".windlass/config.toml")).unwrap();
    fs::write(paths.repository_file().unwrap(), b"# ok\n# \xff\n").unwrap();
    let error = load(&paths, &|_| None, &Flags::default()).unwrap_err();
    assert_eq!(error.to_string(), ".windlass/config.toml:2:3: this is not UTF-8 text; save the file as UTF-8");
}

#[test]
fn a_file_cut_anywhere_is_read_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("Cargo.toml"), "").unwrap();
    let text = crate::config::init_text(&crate::config::proposals(dir.path())).replace("# ", "");
    for cut in (0..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
        let (_, problems) = super::layer::repository(text.get(..cut).unwrap(), None);
        assert!(problems.iter().all(|problem| problem.place.at.is_some()), "{problems:?}");
    }
}

#[test]
fn the_demo_is_configured() {
    let user = "[providers.script]\nkind = \"script\"\ndir = \"/replies\"\n";
    let config = loaded(user, include_str!("../../assets/demo/project/.windlass/config.toml"));
    assert_eq!(config.author, Some(ModelId("script/author-demo".into())));
    assert_eq!((config.gates.len(), config.probes.len(), config.rounds), (3, 2, 3));
}

#[test]
fn an_agent_makes_changes_and_nothing_else() {
    let user =
        format!("{PROVIDERS}[providers.hand]\nkind = \"acp\"\nargv = [\"hand\", \"--acp\"]\nenv = [\"HAND_KEY\"]\n");
    let roles = "[roles]\nauthor = \"openai/a\"\nchange_author = \"hand/best\"\ncritic = \"local/b\"\n";
    let config = try_load(&user, roles, &[], &Flags::default()).unwrap().config;
    assert_eq!(config.change_author, Some(ModelId("hand/best".into())));
    let agent = ProviderSpec::Agent { argv: vec!["hand".into(), "--acp".into()], env: vec!["HAND_KEY".into()] };
    assert_eq!(config.providers["hand"], agent);

    let wrong = |from: &str, to: &str| {
        let changed = roles.replace(from, to);
        assert_ne!(changed, roles);
        try_load(&user, &changed, &[], &Flags::default()).unwrap_err()
    };
    assert_eq!(
        wrong("openai/a", "hand/best"),
        ".windlass/config.toml:2:10: \"hand/best\" is an agent (kind = \"acp\"), which can only make changes: name it as \
         \"change_author\", and as author a model that answers in text"
    );
    assert!(wrong("local/b", "hand/other").contains("4:10: \"hand/other\" is an agent"));
    assert!(wrong("\"hand/best\"", "\"local/b\"").contains("4:10: law 3:"));
    assert!(
        wrong("hand/best", "hnad/best").contains("3:17: there is no provider called \"hnad\"; did you mean \"hand\"?")
    );
    let bad = user.replace("HAND_KEY", "HAND_KEY=1");
    assert!(try_load(&bad, roles, &[], &Flags::default()).unwrap_err().contains("is not the name of an environment"));
}
