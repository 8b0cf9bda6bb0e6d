//! Terraform: the provider's settings in the working directory, as far as they can be read without running it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::credentials::{Key, judge};
use super::environment::{LEAD_HERE, ROOT};
use super::roads::Address;
use super::tools::files;
use super::{Finding, Surroundings};

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Setting {
    Text(String),
    /// `var.NAME`.
    Variable(String),
    /// A list, a call, a reference to something else.
    Other,
}

/// A block and its attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Block {
    /// `provider`, and its labels: `tencentcloud`.
    header: Vec<String>,
    line: usize,
    attributes: BTreeMap<String, Setting>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Open,
    Close,
    Equals,
    LineEnd,
    Other,
}

pub(super) fn findings(surroundings: &Surroundings) -> Vec<Finding> {
    let mut blocks = Vec::new();
    let mut variables: BTreeMap<String, Setting> = BTreeMap::new();
    for file in files(&surroundings.working_directory) {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let settings_only = has_ending(&name, "tfvars");
        if !settings_only && !has_ending(&name, "tf") {
            continue;
        }
        let Ok(text) = fs::read_to_string(&file) else { continue };
        for block in read(&text) {
            match block.header.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                [] if settings_only => variables.extend(block.attributes),
                ["variable", variable] => {
                    if let Some(value) = block.attributes.get("default") {
                        variables.entry((*variable).to_owned()).or_insert_with(|| value.clone());
                    }
                }
                _ => blocks.push((name.clone(), block)),
            }
        }
    }
    blocks.iter().flat_map(|(file, block)| judge_block(surroundings, file, block, &variables)).collect()
}

fn has_ending(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == extension)
}

fn judge_block(
    surroundings: &Surroundings,
    file: &str,
    block: &Block,
    variables: &BTreeMap<String, Setting>,
) -> Vec<Finding> {
    let place = format!("{file}:{}", block.line);
    match block.header.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["provider", "tencentcloud"] => provider(surroundings, &place, block, variables),
        ["backend", "cos"] => vec![Finding::leaves(
            format!("{place}: the backend keeps its state in the real cloud's COS"),
            "use a local backend here",
        )],
        _ => Vec::new(),
    }
}

fn provider(
    surroundings: &Surroundings,
    place: &str,
    block: &Block,
    variables: &BTreeMap<String, Setting>,
) -> Vec<Finding> {
    let text = |name: &str| match block.attributes.get(name) {
        Some(Setting::Text(text)) => Some(Ok(text.clone())),
        Some(Setting::Variable(variable)) => {
            let given = surroundings.variable(&format!("TF_VAR_{variable}")).map(str::to_owned);
            Some(match (variables.get(variable), given) {
                (Some(Setting::Text(text)), _) => Ok(text.clone()),
                (_, Some(text)) => Ok(text),
                _ => Err(name.to_owned()),
            })
        }
        Some(Setting::Other) => Some(Err(name.to_owned())),
        None => None,
    };
    let or_environment = |name: &str, variable: &str| {
        text(name).or_else(|| surroundings.variable(variable).map(|value| Ok(value.to_owned())))
    };
    let mut findings = Vec::new();
    let domain = or_environment("domain", "TENCENTCLOUD_DOMAIN").unwrap_or_else(|| Ok(ROOT.to_owned()));
    let protocol =
        or_environment("protocol", "TENCENTCLOUD_PROTOCOL").unwrap_or_else(|| Ok("HTTPS".to_owned()));
    match (domain, protocol) {
        (Ok(domain), Ok(protocol)) => {
            let address = Address::read(&format!("sts.{domain}"), !protocol.eq_ignore_ascii_case("http"));
            let destination = surroundings.roads.to(&address);
            let says = format!("{place}: the provider's {} {destination}", address.host);
            findings.push(if destination.arrives() {
                Finding::fine(says)
            } else if destination.leaves() {
                Finding::leaves(says, LEAD_HERE)
            } else {
                Finding::check(says, "docs/guides/terraform.md says which names and ports work")
            });
        }
        (Err(name), _) | (_, Err(name)) => findings.push(Finding::check(
            format!("{place}: the provider's {name} cannot be read from the files"),
            "see that it names Rookery",
        )),
    }
    findings.extend(unmovable(surroundings, place, block));
    if let (Some(Ok(id)), secret) = (text("secret_id"), text("secret_key")) {
        let token = text("security_token").and_then(Result::ok);
        findings.push(judge(
            surroundings,
            place,
            &Key { id, secret: secret.and_then(Result::ok).unwrap_or_default(), token },
        ));
    }
    findings
}

/// Calls of the provider that follow neither `domain` nor `protocol`.
fn unmovable(surroundings: &Surroundings, place: &str, block: &Block) -> Vec<Finding> {
    let sts = || Address::read(&format!("sts.{ROOT}"), true);
    [
        ("allowed_account_ids", sts()),
        ("forbidden_account_ids", sts()),
        ("enable_pod_oidc", sts()),
        ("cam_role_name", Address::read("http://metadata.tencentyun.com", false)),
    ]
    .into_iter()
    .filter(|(name, _)| block.attributes.contains_key(*name))
    .map(|(name, address)| {
        let destination = surroundings.roads.to(&address);
        let says =
            format!("{place}: {name} asks {} whatever domain says, and that {destination}", address.host);
        if destination.arrives() {
            Finding::fine(says)
        } else if destination.leaves() {
            Finding::leaves(says, format!("remove {name}, or {LEAD_HERE}"))
        } else {
            Finding::check(says, format!("remove {name}, or {LEAD_HERE}"))
        }
    })
    .collect()
}

/// The blocks of a file, nested ones beside their parents; what stands outside of blocks is a block without a header.
fn read(text: &str) -> Vec<Block> {
    let mut done = Vec::new();
    let mut open = vec![Block::default()];
    let mut statement: Vec<Token> = Vec::new();
    for (token, line) in tokens(text) {
        match token {
            Token::Open if !statement.contains(&Token::Equals) => {
                let header = statement.drain(..).filter_map(|token| match token {
                    Token::Word(word) | Token::Text(word) => Some(word),
                    _ => None,
                });
                open.push(Block { header: header.collect(), line, ..Block::default() });
            }
            Token::Close if open.len() > 1 && !statement.contains(&Token::Open) => {
                settle(&mut open, &mut statement);
                done.extend(open.pop());
            }
            Token::LineEnd => {
                let balance = statement.iter().filter(|token| **token == Token::Open).count()
                    == statement.iter().filter(|token| **token == Token::Close).count();
                if balance {
                    settle(&mut open, &mut statement);
                }
            }
            token => statement.push(token),
        }
    }
    settle(&mut open, &mut statement);
    done.extend(open);
    done
}

/// Ends a statement: `name = value` becomes an attribute of the innermost open block, but for what says that nothing is set.
fn settle(open: &mut [Block], statement: &mut Vec<Token>) {
    if let ([Token::Word(name) | Token::Text(name), Token::Equals, value @ ..], Some(block)) =
        (statement.as_slice(), open.last_mut())
    {
        let setting = match value {
            [Token::Word(word)] if matches!(word.as_str(), "null" | "false") => {
                statement.clear();
                return;
            }
            [Token::Text(text)] if !text.contains("${") => Setting::Text(text.clone()),
            [Token::Word(word)] => match word.strip_prefix("var.") {
                Some(variable) => Setting::Variable(variable.to_owned()),
                None => Setting::Other,
            },
            _ => Setting::Other,
        };
        block.attributes.insert(name.clone(), setting);
    }
    statement.clear();
}

/// The tokens of HCL that matter here, each with its line. Comments are left out, heredocs are skipped.
fn tokens(text: &str) -> Vec<(Token, usize)> {
    let mut found = Vec::new();
    let mut in_comment = false;
    let mut heredoc: Option<String> = None;
    for (number, line) in text.lines().enumerate() {
        if let Some(end) = &heredoc {
            if line.trim() == end {
                heredoc = None;
            }
            continue;
        }
        let mut rest = line;
        while !rest.is_empty() {
            if in_comment {
                let Some((_, after)) = rest.split_once("*/") else { break };
                (in_comment, rest) = (false, after);
                continue;
            }
            rest = rest.trim_start();
            if rest.starts_with('#') || rest.starts_with("//") {
                break;
            }
            if let Some(after) = rest.strip_prefix("/*") {
                (in_comment, rest) = (true, after);
            } else if let Some(after) = rest.strip_prefix("<<") {
                heredoc = Some(after.trim_start_matches('-').trim().to_owned());
                found.push((Token::Other, number + 1));
                break;
            } else if let Some((token, after)) = next(rest) {
                found.push((token, number + 1));
                rest = after;
            }
        }
        found.push((Token::LineEnd, number + 1));
    }
    found
}

/// The first token of a line that begins with neither a space nor a comment.
fn next(rest: &str) -> Option<(Token, &str)> {
    let mut characters = rest.chars();
    let first = characters.next()?;
    let after = characters.as_str();
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    Some(match first {
        '{' => (Token::Open, after),
        '}' => (Token::Close, after),
        '=' if !after.starts_with('=') => (Token::Equals, after),
        '"' => text_token(after),
        first if word(first) => {
            let length = rest.find(|c| !word(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(length);
            (Token::Word(word.to_owned()), after)
        }
        _ => (Token::Other, after),
    })
}

/// A quoted text, from behind its first quote. Its end is the line's where there is no other.
fn text_token(rest: &str) -> (Token, &str) {
    let mut text = String::new();
    let mut characters = rest.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => break,
            '\\' => text.extend(characters.next()),
            c => text.push(c),
        }
    }
    (Token::Text(text), characters.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &str = r#"
terraform {
  backend "cos" { region = "ap-guangzhou" } # state
}
/* provider "tencentcloud" { domain = "commented.example" }
*/
variable "root" {
  type    = string
  default = "tc.localhost:8080"
}
provider "tencentcloud" { // ours
  protocol = "HTTP"
  domain   = var.root
  secret_id = "AK\"ID{"
  allowed_account_ids = [
    "1", { x = "}" }
  ]
  assume_role {
    role_arn = "a"
  }
  policy = <<-EOT
    } provider "no" {
  EOT
  region = "${local.region}"
  tags = {
    a = "b"
  }
}
"#;

    #[test]
    fn blocks_are_read_with_their_attributes_and_lines() {
        let blocks = read(FILE);
        let find = |header: &[&str]| blocks.iter().find(|block| block.header == header).unwrap();
        assert_eq!(find(&["backend", "cos"]).line, 3);
        let text = |text: &str| Setting::Text(text.to_owned());
        assert_eq!(find(&["variable", "root"]).attributes["default"], text("tc.localhost:8080"));
        let provider = find(&["provider", "tencentcloud"]);
        assert_eq!(provider.line, 11);
        let expected = [
            ("protocol", text("HTTP")),
            ("domain", Setting::Variable("root".to_owned())),
            ("secret_id", text("AK\"ID{")),
            ("allowed_account_ids", Setting::Other),
            ("policy", Setting::Other),
            ("region", Setting::Other),
            ("tags", Setting::Other),
        ];
        assert_eq!(provider.attributes, expected.map(|(name, value)| (name.to_owned(), value)).into());
        assert_eq!(find(&["assume_role"]).attributes["role_arn"], text("a"));
        assert_eq!(
            blocks.iter().filter(|block| block.header.first().is_some_and(|word| word == "provider")).count(),
            1
        );
    }

    #[test]
    fn what_is_null_or_off_is_not_set() {
        let blocks = read(
            "provider \"tencentcloud\" {\n  domain = null\n  enable_pod_oidc = false\n  region = \"r\"\n}\n",
        );
        let provider = blocks.iter().find(|block| !block.header.is_empty()).unwrap();
        assert_eq!(provider.attributes.keys().collect::<Vec<_>>(), ["region"]);
    }

    #[test]
    fn settings_files_have_no_blocks() {
        let blocks = read("domain = \"x\"\nids = [1]\n");
        assert_eq!(blocks.len(), 1);
        assert_eq!(blocks[0].attributes["domain"], Setting::Text("x".to_owned()));
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in "[a{}=\"\\\\$<#/*\n ]{0,60}|.{0,60}") {
            let lines = text.lines().count();
            prop_assert!(read(&text).iter().all(|block| block.line <= lines));
        }
    }
}
