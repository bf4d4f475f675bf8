//! What a client wants, by a header with a weighted list.

use hyper::{HeaderMap, header::HeaderName};

use crate::weighted::{self, WeightedItem};

/// What a client wants by this header, most wanted first.
pub(in crate::web) fn wanted<'h>(request: &'h HeaderMap, header: &HeaderName) -> Vec<WeightedItem<'h>> {
    weighted::items(request.get_all(header).iter().filter_map(|list| list.to_str().ok()))
}

#[cfg(test)]
mod tests {
    use hyper::header::{ACCEPT, HeaderValue};

    use super::*;

    #[test]
    fn the_most_wanted_comes_first() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT, HeaderValue::from_static("a/b;q=0.5 , c/d; Q=0.9;version=\"1;2,3\",e/f;q=0"));
        headers.append(ACCEPT, HeaderValue::from_static("g/h,i/j;q=x,,k/l;q=0.5;x"));
        let wanted = wanted(&headers, &ACCEPT);
        let names: Vec<_> = wanted.iter().map(|item| (item.name, item.weight)).collect();
        // What is empty is an element too, whose name is that of nothing.
        assert_eq!(names, [("g/h", 1000), ("", 1000), ("c/d", 900), ("a/b", 500), ("k/l", 500)]);
        assert_eq!(wanted[2].parameter("VERSION"), Some("1;2,3"));
        assert_eq!(wanted[4].parameter("x"), None);
    }
}
