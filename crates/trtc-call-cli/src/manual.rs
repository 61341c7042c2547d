//! `trtc-call completions` and `trtc-call man`: what shells and `man` read, made of the switches.

use std::io;
use std::process::ExitCode;

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::args::Args;
use crate::failure::Failure;
use crate::out;

/// Prints the completions of a shell.
pub(crate) fn completions(shell: Shell) -> Result<ExitCode, Failure> {
    let mut command = Args::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    out::print_bytes(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints one page for the command and all of its subcommands.
pub(crate) fn man() -> Result<ExitCode, Failure> {
    let page = page().map_err(|error| Failure::new(format!("cannot write the page: {error}")))?;
    out::print_bytes(&page)?;
    Ok(ExitCode::SUCCESS)
}

fn page() -> io::Result<Vec<u8>> {
    let mut command = Args::command();
    command.build();
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    // That of the subcommands would name pages which are not there.
    for subcommand in command.get_subcommands().filter(|command| command.get_name() != "help") {
        page.extend(part(subcommand)?);
    }
    page.extend(examples(&man, ".SH")?);
    man.render_version_section(&mut page)?;
    Ok(page)
}

/// A subcommand's part of the page, and those of its own subcommands behind it: their sections are
/// parts of one.
fn part(command: &Command) -> io::Result<Vec<u8>> {
    let name = command.get_bin_name().unwrap_or_default();
    let man = Man::new(command.clone());
    let mut sections = Vec::new();
    man.render_synopsis_section(&mut sections)?;
    man.render_description_section(&mut sections)?;
    man.render_options_section(&mut sections)?;
    let sections = String::from_utf8_lossy(&sections).replace("\n.SH ", "\n.SS ");
    let mut part = format!(".SH \"{}\"\n{sections}", name.to_uppercase()).into_bytes();
    part.extend(examples(&man, ".SS")?);
    for subcommand in command.get_subcommands().filter(|command| command.get_name() != "help") {
        part.extend(self::part(subcommand)?);
    }
    Ok(part)
}

/// What stands below the help, under a heading of this kind, line by line.
fn examples(man: &Man, heading: &str) -> io::Result<Vec<u8>> {
    let mut extra = Vec::new();
    man.render_extra_section(&mut extra)?;
    let extra = String::from_utf8_lossy(&extra);
    let Some((_, lines)) = extra.split_once("Examples:\n") else { return Ok(Vec::new()) };
    Ok(format!("{heading} EXAMPLES\n.nf\n{lines}.fi\n").into_bytes())
}
