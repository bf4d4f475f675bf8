// Draws one dashboard for one time range with Grafana's own panel components:
// `?dashboard=NAME&from=SECONDS&to=SECONDS`.
import { DataFrame, ThemeContext, createTheme, dateTimeFormat, dateTime } from '@grafana/data';
import { BigValue, GlobalStyles, PanelChrome, TimeSeries } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import moment from 'moment';
import React, { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router-dom';
import 'uplot/dist/uPlot.min.css';

import health from '../../dashboards/exporter-health.json';
import overlay from '../../dashboards/vxlan-overlay.json';
import router from '../../dashboards/vxlan-router.json';
import { Heatmap, Timeline } from './drawn';
import { configure, prepare, transform } from './fields';
import { Span, ask, seriesFrames, tableFrame } from './prometheus';

const DASHBOARDS: Record<string, any> = { 'vxlan-overlay': overlay, 'vxlan-router': router, 'exporter-health': health };

/** Sizes of Grafana's grid, in pixels. */
const UNIT = 30;
const GAP = 8;
const EDGE = 16;
const HEAD = 88;

const theme = createTheme({ colors: { mode: 'dark' } });
const asked = new URLSearchParams(location.search);
const dashboard = DASHBOARDS[asked.get('dashboard') ?? ''];
const variables = dashboard.templating.list;
const times = { from: Number(asked.get('from')), to: Number(asked.get('to')) };
const width = window.innerWidth - 2 * EDGE;

async function load(panel: any, pixels: number): Promise<DataFrame[]> {
  const span = spanOf(pixels, panel.type);
  const single = panel.targets.length === 1;
  const answers = await Promise.all(panel.targets.map((target: any) => ask(target, span, variables)));
  const frames = answers.flatMap((series, index) => {
    const target = panel.targets[index];
    return target.format === 'table' ? [tableFrame(series, target, single, span)] : seriesFrames(series, target, span);
  });
  const filled = frames.filter((frame) => frame.length > 0);
  return configure(await transform(filled, panel.transformations), panel.fieldConfig, theme);
}

/** At most one point per pixel and per scrape; columns of a heat map are wider. */
function spanOf(pixels: number, type: string): Span {
  const least = type === 'heatmap' ? 8 : 2;
  return { ...times, step: Math.max(least, Math.ceil((times.to - times.from) / pixels)) };
}

function Panel({ panel }: { panel: any }) {
  const column = (width + GAP) / 24;
  const { x, y, w, h } = panel.gridPos;
  const size = { width: w * column - GAP, height: h * (UNIT + GAP) - GAP };
  const [frames, setFrames] = useState<DataFrame[]>();
  useEffect(() => {
    if (panel.type !== 'row') {
      load(panel, size.width).then(setFrames).catch((error) => console.error(`picture: ${panel.title}: ${error}`));
    }
  }, []);
  const place = { position: 'absolute' as const, left: EDGE + x * column, top: HEAD + y * (UNIT + GAP), ...size };
  if (panel.type === 'row') {
    const words = panel.collapsed ? `▸ ${panel.title} (${panel.panels.length} panels)` : panel.title;
    return <div style={{ ...place, ...theme.typography.h6, color: theme.colors.text.primary, lineHeight: '30px' }}>{words}</div>;
  }
  return (
    <div style={place}>
      <PanelChrome {...size} title={panel.title} description={panel.description} padding={panel.type === 'table' ? 'none' : 'md'}>
        {(innerWidth, innerHeight) => (
          <Inside panel={panel} frames={frames} width={innerWidth} height={innerHeight} span={spanOf(size.width, panel.type)} />
        )}
      </PanelChrome>
    </div>
  );
}

function Inside({ panel, frames, ...size }: { panel: any; frames?: DataFrame[]; width: number; height: number; span: Span }) {
  if (!frames) {
    return null;
  }
  if (!frames.some((frame) => frame.length > 0)) {
    const words = panel.fieldConfig.defaults.noValue ?? 'No data';
    const style = { ...size, display: 'grid', placeItems: 'center', color: theme.colors.text.secondary, padding: 16 };
    return <div style={style}>{words}</div>;
  }
  const { options } = panel;
  switch (panel.type) {
    case 'stat': {
      // Side by side, each with its name where there are several.
      const named = options.textMode === 'value_and_name';
      const each = size.width / frames.length;
      return (
        <div style={{ display: 'flex' }}>
          {frames.map((frame, index) => {
            const field = frame.fields[1];
            const shown = field.display!(field.values[field.values.length - 1]);
            const value = named ? { ...shown, title: field.config.displayNameFromDS } : shown;
            return (
              <BigValue key={index} width={each - 2} height={size.height} theme={theme} value={value} colorMode={options.colorMode}
                graphMode={options.graphMode} justifyMode={options.justifyMode} textMode={options.textMode} text={options.text} />
            );
          })}
        </div>
      );
    }
    case 'timeseries': {
      const timeRange = { from: dateTime(times.from * 1000), to: dateTime(times.to * 1000), raw: { from: '', to: '' } };
      return <TimeSeries {...size} frames={frames} timeRange={timeRange} timeZone="utc" legend={options.legend} options={options} />;
    }
    case 'table':
      return <TableNG {...size} data={frames[0]} initialSortBy={options.sortBy} />;
    case 'state-timeline':
      return <Timeline {...size} theme={theme} frames={frames} />;
    case 'heatmap':
      return <Heatmap {...size} theme={theme} frames={frames} options={options} />;
    default:
      throw new Error(`no ${panel.type}`);
  }
}

function Variable({ variable }: { variable: any }) {
  const box = { border: `1px solid ${theme.colors.border.medium}`, padding: '5px 8px', borderRadius: 2 };
  const value = variable.type === 'datasource' ? 'Prometheus' : 'All';
  return (
    <span style={{ marginRight: 12, display: 'inline-flex' }}>
      <span style={{ ...box, background: theme.colors.background.secondary, borderRight: 0 }}>{variable.label}</span>
      <span style={{ ...box, color: theme.colors.text.primary }}>{value}</span>
    </span>
  );
}

function Page() {
  const clock = (time: number) => dateTimeFormat(time * 1000, { format: 'YYYY-MM-DD HH:mm:ss', timeZone: 'utc' });
  const bottom = Math.max(...dashboard.panels.map(({ gridPos }: any) => gridPos.y + gridPos.h));
  const line = { display: 'flex', alignItems: 'center', justifyContent: 'space-between', height: 38 };
  return (
    <div style={{ position: 'relative', height: HEAD + bottom * (UNIT + GAP) + EDGE - GAP, fontSize: 13 }}>
      <div style={{ padding: `4px ${EDGE}px`, color: theme.colors.text.secondary }}>
        <div style={line}>
          <span style={{ ...theme.typography.h4, color: theme.colors.text.primary }}>{dashboard.title}</span>
          <span>{clock(times.from)} to {clock(times.to)} UTC</span>
        </div>
        <div style={line}>
          <span>{variables.map((it: any) => <Variable key={it.name} variable={it} />)}</span>
          <span>{Object.values(DASHBOARDS).map(({ title }) => <span key={title} style={{ marginLeft: 16 }}>↗ {title}</span>)}</span>
        </div>
      </div>
      {dashboard.panels.map((panel: any) => <Panel key={panel.id} panel={panel} />)}
    </div>
  );
}

// Ages are relative to the end of the time range.
moment.now = () => times.to * 1000;
prepare();
document.body.style.margin = '0';
createRoot(document.getElementById('root')!).render(
  <ThemeContext.Provider value={theme}>
    <BrowserRouter>
      <GlobalStyles isExtensionSidebarOpen={false} />
      <Page />
    </BrowserRouter>
  </ThemeContext.Provider>
);
