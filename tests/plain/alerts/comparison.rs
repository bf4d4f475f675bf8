//! pint's `alerts/comparison`: an alert whose expression contains no comparison fires as long as
//! its series exist.

use anyhow::{Result, anyhow};
use promql_parser::{
    parser::{self, Expr},
    util::{ExprVisitor, walk_expr},
};

use super::rules::RuleFile;

/// Whether an expression can have no result although its series exist.
pub fn can_be_silent(expr: &str, files: &[RuleFile]) -> Result<bool> {
    let mut filters = Filters { found: false, uses: Vec::new() };
    walk_expr(&mut filters, &parser::parse(expr).map_err(|error| anyhow!("{error}"))?)?;
    let recorded =
        |name: &String| files.iter().flat_map(RuleFile::rules).find(|it| it.record.as_ref() == Some(name));
    let exprs: Vec<_> = filters.uses.iter().filter_map(recorded).map(|rule| &rule.expr).collect();
    Ok(filters.found
        || exprs
            .into_iter()
            .map(|expr| can_be_silent(expr, files))
            .collect::<Result<Vec<_>>>()?
            .contains(&true))
}

struct Filters {
    found: bool,
    uses: Vec<String>,
}

impl ExprVisitor for Filters {
    type Error = anyhow::Error;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool> {
        match expr {
            Expr::Binary(binary) => {
                let keeps = binary.modifier.as_ref().is_some_and(|it| it.return_bool);
                self.found |= binary.op.is_comparison_operator() && !keeps;
            }
            Expr::Call(call) => self.found |= call.func.name.starts_with("absent"),
            Expr::VectorSelector(selector) => self.uses.extend(selector.name.clone()),
            _ => {}
        }
        Ok(true)
    }
}
