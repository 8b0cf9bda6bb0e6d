//! Completion for shells: a few lines of shell that ask this program, which knows its commands and the contract.

use clap::{Command, CommandFactory};
use rookery_api::region::REGIONS;
use rookery_api::shape::{ActionShape, Kind};

use crate::call::product;
use crate::call::words::CHOICES;
use crate::commands::{Cli, Complete, Completion, Shell};

const BASH: &str = r#"_rookery() {
    local IFS=$'\n'
    COMPREPLY=($("${COMP_WORDS[0]}" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _rookery rookery
"#;

const ZSH: &str = r#"#compdef rookery
_rookery() {
    local -a found
    found=(${(f)"$("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)"})
    if (( ${#found} )); then
        compadd -a found
    else
        _files
    fi
}
if [[ "${funcstack[1]}" == _rookery ]]; then
    _rookery "$@"
else
    compdef _rookery rookery
fi
"#;

const FISH: &str = r#"function __rookery_words
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l found ($before[1] complete -- $before[2..-1] "$current" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path "$current"
    end
end
complete -c rookery -f -a '(__rookery_words)'
"#;

/// Prints the shell's part.
pub(crate) fn print(options: &Completion) {
    print!(
        "{}",
        match options.shell {
            Shell::Bash => BASH,
            Shell::Zsh => ZSH,
            Shell::Fish => FISH,
        }
    );
}

/// Prints the words that may stand where the last one stands; nothing where a file may.
pub(crate) fn answer(options: &Complete) {
    for word in candidates(&options.words) {
        println!("{word}");
    }
}

fn candidates(words: &[String]) -> Vec<String> {
    let Some((typed, before)) = words.split_last() else { return Vec::new() };
    let before: Vec<&str> = before.iter().map(String::as_str).collect();
    let mut found = match before.split_first() {
        Some((&"call", rest)) => of_call(rest),
        _ => of_command(&before),
    };
    found.retain(|word| word.starts_with(typed.as_str()));
    // Hyphens are offered when they are typed, or there is nothing else.
    if typed.is_empty() && found.iter().any(|word| !word.starts_with('-')) {
        found.retain(|word| !word.starts_with('-'));
    }
    found
}

/// Words of a command as clap knows it: values of the option before, else commands below and options.
fn of_command(before: &[&str]) -> Vec<String> {
    let mut command = Cli::command();
    command.build();
    let mut at: &Command = &command;
    for word in before {
        if let Some(below) = at.find_subcommand(word) {
            at = below;
        }
    }
    let last = before.last().and_then(|word| word.strip_prefix("--"));
    let option = last.and_then(|name| at.get_arguments().find(|argument| argument.get_long() == Some(name)));
    if let Some(option) = option.filter(|option| option.get_action().takes_values()) {
        return values(option);
    }
    let below = at.get_subcommands().filter(|command| !command.is_hide_set());
    let mut found: Vec<String> = below.map(|command| command.get_name().to_owned()).collect();
    found.extend(at.get_positionals().flat_map(values));
    found.extend(at.get_arguments().filter_map(|argument| Some(format!("--{}", argument.get_long()?))));
    found
}

fn values(argument: &clap::Arg) -> Vec<String> {
    argument.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect()
}

/// Words of `rookery call`: products, actions, parameters, options and their values.
fn of_call(before: &[&str]) -> Vec<String> {
    let (name, rest) = match before {
        [] => return rookery_api::PRODUCTS.iter().map(|product| product.name.to_owned()).collect(),
        [name, rest @ ..] => (name, rest),
    };
    let Ok(product) = product(name) else { return Vec::new() };
    let (action, given) = match rest {
        [] => return product.actions.iter().map(|action| action.name.to_owned()).collect(),
        [action, given @ ..] => (action, given),
    };
    let Some(action) = product.action(action) else { return Vec::new() };
    if let Some(name) = waiting(given) {
        return values_of(action, name);
    }
    let members = action.input.members.iter().map(|member| member.name);
    let names = members.chain(CHOICES.iter().map(|choice| choice.name));
    names.map(|name| format!("--{name}")).filter(|word| !given.contains(&word.as_str())).collect()
}

/// The name whose value comes next, if one does.
fn waiting<'a>(given: &[&'a str]) -> Option<&'a str> {
    let mut waiting = None;
    for word in given {
        waiting = match waiting {
            Some(_) => None,
            None => word.strip_prefix("--").filter(|name| !name.contains('=') && !is_switch(name)),
        };
    }
    waiting
}

fn is_switch(name: &str) -> bool {
    CHOICES.iter().any(|choice| choice.name == name && choice.value.is_empty())
}

fn values_of(action: &ActionShape, name: &str) -> Vec<String> {
    if name == "region" {
        return REGIONS.iter().map(|region| region.code.to_owned()).collect();
    }
    if let Some(choice) = CHOICES.iter().find(|choice| choice.name == name) {
        return choice.values.iter().map(|value| (*value).to_owned()).collect();
    }
    let member = action.input.members.iter().find(|member| member.name == name);
    match member.map(|member| member.kind) {
        Some(Kind::Boolean) => vec!["true".to_owned(), "false".to_owned()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Vec<String> {
        candidates(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn commands_and_their_options_are_completed() {
        assert_eq!(of("comp"), ["completion"], "hidden commands are not offered");
        assert_eq!(of("completion "), ["bash", "zsh", "fish"]);
        assert_eq!(of("state s"), ["snapshot"]);
        assert_eq!(of("serve --registry-s"), ["--registry-suffix"]);
        assert!(of("serve --log ").is_empty(), "any text may stand here");
        assert!(of("").contains(&"call".to_owned()) && !of("").iter().any(|word| word.starts_with('-')));
        assert!(candidates(&[]).is_empty());
    }

    #[test]
    fn products_actions_and_parameters_are_completed() {
        assert_eq!(of("call st"), ["sts"]);
        assert_eq!(of("call tcr CreateSignaturePol"), ["CreateSignaturePolicy"]);
        assert!(of("call tcr Desc").len() > 20);
        assert_eq!(of("call tcr DescribeInstances --Off"), ["--Offset"]);
        assert!(of("call tcr DescribeInstances --Offset 1 --Off").is_empty(), "given once");
        assert_eq!(of("call tcr DescribeInstances --output t"), ["table", "text"]);
        assert_eq!(of("call tcr DescribeInstances --AllRegion "), ["true", "false"]);
        assert_eq!(of("call tcr DescribeInstances --page-all --fil"), ["--filter"]);
        assert!(of("call tcr DescribeInstances --region ap-guang").contains(&"ap-guangzhou".to_owned()));
        for nothing in ["call nope ", "call tcr Nope --", "call tcr DescribeInstances --Offset "] {
            assert!(of(nothing).is_empty(), "{nothing}");
        }
    }
}
