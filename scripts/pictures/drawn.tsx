// State timelines and heat maps are Grafana plugins that are in no package. They are drawn here
// from the same fields, colours and options.
import { DataFrame, GrafanaTheme2, dateTimeFormat, getValueFormat } from '@grafana/data';
import { getTextColorForBackground } from '@grafana/ui';
import { interpolateCividis } from 'd3-scale-chromatic';
import React from 'react';

import { Span } from './prometheus';

interface Drawn {
  width: number;
  height: number;
  span: Span;
  theme: GrafanaTheme2;
}

const AXIS = 22;

function TimeAxis({ left, width, height, span, theme }: Drawn & { left: number }) {
  const minutes = (span.to - span.from) / 60;
  const every = [1, 2, 5, 10, 15, 30].find((it) => minutes / it <= width / 90) ?? 60;
  const ticks = [];
  for (let at = Math.ceil(span.from / 60 / every) * every * 60; at <= span.to; at += every * 60) {
    const x = left + ((at - span.from) / (span.to - span.from)) * (width - left);
    if (x < width - 16) {
      ticks.push(
        <text key={at} x={x} y={height - 5} textAnchor="middle" fontSize={12} fill={theme.colors.text.primary}>
          {dateTimeFormat(at * 1000, { format: 'HH:mm', timeZone: 'utc' })}
        </text>
      );
    }
  }
  return <g>{ticks}</g>;
}

/** One line per series, one bar per state. */
export function Timeline({ frames, ...drawn }: Drawn & { frames: DataFrame[] }) {
  const { width, height, span, theme } = drawn;
  const names = frames.map((frame) => frame.fields[1].config.displayNameFromDS ?? '');
  const left = Math.min(width / 3, 14 + 7 * Math.max(0, ...names.map((name) => name.length)));
  const row = (height - AXIS) / Math.max(1, frames.length);
  const at = (time: number) => left + Math.max(0, (time / 1000 - span.from) / (span.to - span.from)) * (width - left);
  return (
    <svg width={width} height={height} fontFamily={theme.typography.fontFamily}>
      {frames.map((frame, index) => {
        const [times, values] = [frame.fields[0].values, frame.fields[1].values];
        const y = index * row + row * 0.075;
        const bars = [];
        for (let begin = 0; begin < times.length; ) {
          let end = begin + 1;
          while (end < times.length && values[end] === values[begin] && times[end] - times[end - 1] <= span.step * 1000) {
            end += 1;
          }
          const [from, to] = [at(times[begin]), Math.min(width, at(times[Math.min(end, times.length - 1)] + (end < times.length ? 0 : span.step * 1000)))];
          const shown = frame.fields[1].display!(values[begin]);
          const words = shown.text;
          bars.push(
            <g key={begin}>
              <rect x={from} y={y} width={Math.max(1, to - from)} height={row * 0.85} fill={shown.color} fillOpacity={0.85} />
              {to - from > 8 * words.length + 8 && (
                <text x={from + 6} y={y + row * 0.425 + 4.5} fontSize={13} fill={getTextColorForBackground(shown.color!)}>
                  {words}
                </text>
              )}
            </g>
          );
          begin = end;
        }
        return (
          <g key={index}>
            <text x={left - 8} y={y + row * 0.425 + 4.5} textAnchor="end" fontSize={12} fill={theme.colors.text.primary}>
              {names[index]}
            </text>
            {bars}
          </g>
        );
      })}
      <TimeAxis {...drawn} left={left} />
    </svg>
  );
}

/** Cumulative buckets as rows; the emptiest cells are the darkest. */
export function Heatmap({ frames, options, ...drawn }: Drawn & { frames: DataFrame[]; options: any }) {
  const { width, height, span, theme } = drawn;
  const limits = frames
    .map((frame) => ({ le: Number(frame.fields[1].labels!.le), frame }))
    .map((it) => ({ ...it, le: Number.isNaN(it.le) ? Infinity : it.le }))
    .sort((a, b) => a.le - b.le);
  const counts = limits.map(({ frame }) => new Map(frame.fields[0].values.map((time: number, i: number) => [time, frame.fields[1].values[i]])));
  const cells = limits.flatMap((_, index) =>
    [...counts[index]].map(([time, count]) => ({ index, time, count: count - (index ? (counts[index - 1].get(time) ?? 0) : 0) }))
  );
  const most = Math.max(1e-9, ...cells.map(({ count }) => count));
  // Rows at the top and bottom that are always empty are left out.
  const filled = cells.filter(({ count }) => count > 1e-9).map(({ index }) => index);
  const [low, high] = [Math.max(0, Math.min(...filled) - 1), Math.min(limits.length - 1, Math.max(...filled) + 1)];
  const left = 62;
  const SCALE = 34;
  const bottom = height - SCALE;
  const row = (bottom - AXIS - 8) / (high - low + 1);
  const column = ((width - left) * span.step) / (span.to - span.from);
  const format = getValueFormat(options.yAxis.unit);
  return (
    <svg width={width} height={height} fontFamily={theme.typography.fontFamily}>
      {cells
        .filter(({ count, index }) => count > 1e-9 && index >= low && index <= high)
        .map(({ index, time, count }) => (
          <rect
            key={`${index} ${time}`}
            x={left + (Math.max(0, time / 1000 - span.step - span.from) / (span.to - span.from)) * (width - left)}
            y={8 + (high - index) * row}
            width={Math.max(1, column - 0.5)}
            height={row - 1}
            fill={interpolateCividis((count / most) ** options.color.exponent)}
          />
        ))}
      {limits.slice(low, high + 1).map(({ le }, index) => {
        const { text, suffix } = format(le);
        return (
          <text key={le} x={left - 8} y={8 + (high - low - index) * row + 5} textAnchor="end" fontSize={12} fill={theme.colors.text.primary}>
            {le === Infinity ? '∞' : text + (suffix ?? '')}
          </text>
        );
      })}
      <TimeAxis {...drawn} height={bottom} left={left} />
      <Scale most={most} exponent={options.color.exponent} left={left} top={bottom + 4} theme={theme} />
    </svg>
  );
}

/** What the colours of a heat map mean, from none to the most. */
function Scale({ most, exponent, left, top, theme }: { most: number; exponent: number; left: number; top: number; theme: GrafanaTheme2 }) {
  const [wide, steps] = [200, 64];
  const text = { y: top + 24, fontSize: 12, fill: theme.colors.text.primary };
  return (
    <g>
      {[...Array(steps).keys()].map((step) => (
        <rect key={step} x={left + (step * wide) / steps} y={top} width={wide / steps + 0.5} height={10} fill={interpolateCividis((step / (steps - 1)) ** exponent)} />
      ))}
      <text {...text} x={left} textAnchor="start">0</text>
      <text {...text} x={left + wide} textAnchor="end">{Math.round(most)}</text>
    </g>
  );
}
