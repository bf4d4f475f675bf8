//! The forms in which samples are written: the text format 0.0.4, OpenMetrics 1.0, and the protobuf
//! form of Prometheus. The client chooses, by `Accept` and `Accept-Encoding`.

mod buckets;
mod delimited;
mod lines;
mod messages;
mod quality;
mod spans;
mod value;
mod zstd;

use std::{
    io::{self, Write},
    time::SystemTime,
};

use flate2::{Compression, write::GzEncoder};
use hyper::{
    HeaderMap,
    header::{ACCEPT, ACCEPT_ENCODING},
};

use crate::catalogue::MetricSpec;
pub(crate) use buckets::{BucketBound, BucketCounts};
pub(super) use quality::wanted;
pub(crate) use value::SampleValue;

/// The form of a scrape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScrapeForm {
    /// The text format 0.0.4, which every client reads.
    #[default]
    Text,
    /// OpenMetrics 1.0, as text.
    OpenMetrics,
    /// Messages of Prometheus' protobuf, each after its length.
    Protobuf,
}

impl ScrapeForm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Text, Self::OpenMetrics, Self::Protobuf];

    /// The form that a client wants most of those that exist; whatever else it wants, it gets the
    /// text format, as from Prometheus' own library.
    pub(super) fn wanted_by(request: &HeaderMap) -> Self {
        let wanted = wanted(request, &ACCEPT);
        let known = wanted.iter().find_map(|item| {
            let version = item.parameter("version");
            let is_message = || {
                let message = "io.prometheus.client.MetricFamily";
                item.parameter("proto") == Some(message) && item.parameter("encoding") == Some("delimited")
            };
            match item.name.to_ascii_lowercase().as_str() {
                "text/plain" if version.is_none_or(|version| version == "0.0.4") => Some(Self::Text),
                "text/*" | "*/*" => Some(Self::Text),
                "application/openmetrics-text" if version.is_none_or(|version| version == "1.0.0") => {
                    Some(Self::OpenMetrics)
                }
                "application/vnd.google.protobuf" if is_message() => Some(Self::Protobuf),
                _ => None,
            }
        });
        known.unwrap_or_default()
    }

    /// Its content type.
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        }
    }

    /// What writes samples in this form.
    pub(super) fn writer<'w>(self, to: &'w mut dyn Write) -> Box<dyn SampleWriter + 'w> {
        match self {
            Self::Text => Box::new(lines::SampleLines::new(to, false)),
            Self::OpenMetrics => Box::new(lines::SampleLines::new(to, true)),
            Self::Protobuf => Box::new(delimited::Delimited::new(to)),
        }
    }
}

/// How a scrape is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ContentCoding {
    /// Not at all.
    #[default]
    Identity,
    Gzip,
    Zstd,
}

impl ContentCoding {
    /// The coding that a client wants most; gzip if it wants both alike, as from Prometheus' own
    /// library.
    pub(super) fn wanted_by(request: &HeaderMap) -> Self {
        let wanted = wanted(request, &ACCEPT_ENCODING);
        let weight = |name: &str| {
            let named = wanted.iter().filter(|item| item.name.eq_ignore_ascii_case(name));
            named.map(|item| item.weight).max().unwrap_or_default()
        };
        let (gzip, zstd) = (weight("gzip"), weight("zstd"));
        if gzip.max(zstd) == 0 || gzip.max(zstd) < weight("identity") {
            Self::Identity
        } else if zstd > gzip {
            Self::Zstd
        } else {
            Self::Gzip
        }
    }

    /// Its name in `Content-Encoding`.
    pub(super) const fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }

    /// What `write` writes, compressed; the whole of it is never in memory uncompressed.
    pub(super) fn pack<E: From<io::Error>>(
        self,
        write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
        expected: usize,
    ) -> Result<Vec<u8>, E> {
        match self {
            Self::Identity => {
                let mut bytes = Vec::with_capacity(expected);
                write(&mut bytes)?;
                Ok(bytes)
            }
            Self::Gzip => {
                let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
                write(&mut packed)?;
                Ok(packed.finish()?)
            }
            Self::Zstd => {
                let mut packed = zstd::ZstdFrames::default();
                write(&mut packed)?;
                Ok(packed.finish())
            }
        }
    }
}

/// Labels that several samples share, encoded once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SharedLabels(Vec<u8>);

/// Writes samples, one family after the other.
pub(crate) trait SampleWriter {
    /// The first labels of a family, encoded for all samples that share them.
    fn shared(&self, family: &MetricSpec, values: &[&str]) -> SharedLabels;

    /// The next samples are of this family. Without any, nothing is written.
    fn begin(&mut self, family: &'static MetricSpec);

    /// When the next counters and histograms began to count, if that is known.
    fn since(&mut self, began: Option<SystemTime>);

    /// A sample; `more` are the values of the labels after the shared ones.
    fn put(&mut self, first: &SharedLabels, more: &[&str], value: SampleValue);

    /// Whether a histogram may have fine buckets in addition.
    fn takes_native(&self) -> bool {
        false
    }

    /// A histogram.
    fn put_buckets(&mut self, first: &SharedLabels, more: &[&str], buckets: &BucketCounts<'_>);

    /// Writes the rest; nothing may come after it.
    fn end(&mut self) -> io::Result<()>;
}

#[cfg(test)]
mod tests;
