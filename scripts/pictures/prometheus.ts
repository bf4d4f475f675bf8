// Sends a panel's queries to Prometheus, and returns the results in the form of Grafana's data
// source.
import { DataFrame, FieldType, createDataFrame } from '@grafana/data';

export interface Span {
  from: number;
  to: number;
  /** Seconds between two points. */
  step: number;
}

interface Series {
  metric: Record<string, string>;
  value?: [number, string];
  values?: Array<[number, string]>;
}

/** The recording scrapes every 2 s; Grafana uses at least four scrapes. */
const RATE_INTERVAL = '8s';

export async function ask(target: any, span: Span, variables: Array<Record<string, any>>): Promise<Series[]> {
  let query = target.expr.replaceAll('$__rate_interval', RATE_INTERVAL);
  for (const { name, allValue } of variables) {
    query = allValue ? query.replaceAll('$' + name, allValue) : query;
  }
  const moment = { time: String(span.to) };
  const range = { start: String(span.from), end: String(span.to), step: String(span.step) };
  const parameters = new URLSearchParams({ query, ...(target.instant ? moment : range) });
  const answer = await fetch(`api/v1/query${target.instant ? '' : '_range'}?${parameters}`);
  const body = await answer.json();
  if (body.status !== 'success') {
    throw new Error(`${target.expr}: ${body.error}`);
  }
  return body.data.result;
}

function legend(format: string, labels: Record<string, string>): string {
  return format.replace(/{{\s*(\w+)\s*}}/g, (_, label) => labels[label] ?? '');
}

/** One frame per series: time and value. */
export function seriesFrames(series: Series[], target: any, span: Span): DataFrame[] {
  return series.map(({ metric, value, values }) => {
    const points = values ?? [value!];
    const { __name__, ...labels } = metric;
    return createDataFrame({
      refId: target.refId,
      fields: [
        { name: 'Time', type: FieldType.time, values: points.map(([t]) => t * 1000), config: { interval: span.step * 1000 } },
        {
          name: 'Value',
          type: FieldType.number,
          values: points.map(([, v]) => Number(v)),
          labels,
          config: { displayNameFromDS: legend(target.legendFormat, metric) },
        },
      ],
    });
  });
}

/** One frame per query, with a column per label and a row per series. */
export function tableFrame(series: Series[], target: any, single: boolean, span: Span): DataFrame {
  const labels = [...new Set(series.flatMap(({ metric }) => Object.keys(metric)))].filter((it) => it !== '__name__').sort();
  const column = (label: string) => ({
    name: label,
    type: FieldType.string,
    values: series.map(({ metric }) => metric[label] ?? ''),
    config: { filterable: true },
  });
  return createDataFrame({
    refId: target.refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: series.map(() => span.to * 1000) },
      ...labels.map(column),
      {
        name: single ? 'Value' : `Value #${target.refId}`,
        type: FieldType.number,
        values: series.map(({ value }) => Number(value![1])),
      },
    ],
  });
}
