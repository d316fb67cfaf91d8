//! The demo's files, inside the program: a small project, and the replies of its scripted models.

/// Path and text of every file of the project.
pub(super) const PROJECT: &[(&str, &str)] = &[
    (".windlass/config.toml", include_str!("../../../assets/demo/project/.windlass/config.toml")),
    ("AGENTS.md", include_str!("../../../assets/demo/project/AGENTS.md")),
    ("README.md", include_str!("../../../assets/demo/project/README.md")),
    ("bin/report.sh", include_str!("../../../assets/demo/project/bin/report.sh")),
    ("data/make.sh", include_str!("../../../assets/demo/project/data/make.sh")),
    ("lib/customers.awk", include_str!("../../../assets/demo/project/lib/customers.awk")),
    ("lib/orders.awk", include_str!("../../../assets/demo/project/lib/orders.awk")),
    ("lib/report.awk", include_str!("../../../assets/demo/project/lib/report.awk")),
    ("probe/time.sh", include_str!("../../../assets/demo/project/probe/time.sh")),
    ("probe/work.sh", include_str!("../../../assets/demo/project/probe/work.sh")),
    ("probe/workload.sh", include_str!("../../../assets/demo/project/probe/workload.sh")),
    ("tests/golden.sh", include_str!("../../../assets/demo/project/tests/golden.sh")),
    ("tests/golden.tsv", include_str!("../../../assets/demo/project/tests/golden.tsv")),
    ("tests/lint.sh", include_str!("../../../assets/demo/project/tests/lint.sh")),
    ("tests/run.sh", include_str!("../../../assets/demo/project/tests/run.sh")),
];

/// Name and text of every reply.
pub(super) const REPLIES: &[(&str, &str)] = &[
    ("author-change.1.md", include_str!("../../../assets/demo/replies/author-change.1.md")),
    ("author-change.2.md", include_str!("../../../assets/demo/replies/author-change.2.md")),
    ("author-constraint.1.md", include_str!("../../../assets/demo/replies/author-constraint.1.md")),
    ("author-constraint.2.md", include_str!("../../../assets/demo/replies/author-constraint.2.md")),
    ("author-finding.md", include_str!("../../../assets/demo/replies/author-finding.md")),
    ("author-outcome.1.md", include_str!("../../../assets/demo/replies/author-outcome.1.md")),
    ("author-outcome.2.md", include_str!("../../../assets/demo/replies/author-outcome.2.md")),
    ("author-plan-finding-1.1.md", include_str!("../../../assets/demo/replies/author-plan-finding-1.1.md")),
    ("author-plan.1.md", include_str!("../../../assets/demo/replies/author-plan.1.md")),
    ("author-plan.2.md", include_str!("../../../assets/demo/replies/author-plan.2.md")),
    ("author-plan.3.md", include_str!("../../../assets/demo/replies/author-plan.3.md")),
    ("critic-change.1.md", include_str!("../../../assets/demo/replies/critic-change.1.md")),
    ("critic-change.2.md", include_str!("../../../assets/demo/replies/critic-change.2.md")),
    ("critic-constraint.1.md", include_str!("../../../assets/demo/replies/critic-constraint.1.md")),
    ("critic-constraint.2.md", include_str!("../../../assets/demo/replies/critic-constraint.2.md")),
    ("critic-finding.md", include_str!("../../../assets/demo/replies/critic-finding.md")),
    ("critic-outcome.1.md", include_str!("../../../assets/demo/replies/critic-outcome.1.md")),
    ("critic-outcome.2.md", include_str!("../../../assets/demo/replies/critic-outcome.2.md")),
    ("critic-plan-finding-1.1.md", include_str!("../../../assets/demo/replies/critic-plan-finding-1.1.md")),
    ("critic-plan.1.md", include_str!("../../../assets/demo/replies/critic-plan.1.md")),
    ("critic-plan.2.md", include_str!("../../../assets/demo/replies/critic-plan.2.md")),
    ("critic-plan.3.md", include_str!("../../../assets/demo/replies/critic-plan.3.md")),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;

    use super::{PROJECT, REPLIES};

    fn below(top: &Path, dir: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                below(top, &path, found);
            } else {
                let name = path.strip_prefix(top).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }

    #[test]
    fn every_file_is_in_the_program_as_it_is() {
        for (folder, table) in [("project", PROJECT), ("replies", REPLIES)] {
            let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo").join(folder);
            let mut found = BTreeMap::new();
            below(&dir, &dir, &mut found);
            let embedded: BTreeMap<String, String> =
                table.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
            assert_eq!(embedded, found, "{folder}");
        }
    }
}
