// The field settings that the dashboards use. Grafana registers them in its own front end, which is
// in no package.
import {
  DataFrame, FieldConfigSource, GrafanaTheme2, Registry, applyFieldOverrides, cacheFieldDisplayNames, standardFieldConfigEditorRegistry,
  standardTransformers, standardTransformersRegistry, transformDataFrame,
} from '@grafana/data';
import { lastValueFrom } from 'rxjs';

const OWN = ['unit', 'min', 'max', 'decimals', 'displayName', 'noValue', 'color', 'thresholds', 'mappings', 'links'];
const CUSTOM = [
  'drawStyle', 'lineInterpolation', 'lineWidth', 'lineStyle', 'fillOpacity', 'showPoints', 'spanNulls', 'axisPlacement', 'axisLabel', 'axisSoftMax',
  'transform', 'width', 'align', 'displayMode', 'filterable', 'hideFrom',
];

const item = (path: string, isCustom: boolean): any => ({
  id: isCustom ? `custom.${path}` : path,
  path,
  isCustom,
  name: path,
  process: (value: unknown) => value,
  shouldApply: () => true,
});

const settings = [...OWN.map((it) => item(it, false)), ...CUSTOM.map((it) => item(it, true))];

export function prepare() {
  standardFieldConfigEditorRegistry.setInit(() => settings);
  const { mergeTransformer, sortByTransformer, groupByTransformer, organizeFieldsTransformer } = standardTransformers;
  const used = [mergeTransformer, sortByTransformer, groupByTransformer, organizeFieldsTransformer];
  standardTransformersRegistry.setInit(() => used.map((it: any) => ({ id: it.id, name: it.name, transformation: it })) as any);
}

export function configure(data: DataFrame[], fieldConfig: FieldConfigSource, theme: GrafanaTheme2): DataFrame[] {
  const configured = applyFieldOverrides({
    data,
    fieldConfig,
    theme,
    timeZone: 'utc',
    replaceVariables: (text) => text,
    fieldConfigRegistry: new Registry(() => settings),
  });
  cacheFieldDisplayNames(configured);
  return configured;
}

export function transform(data: DataFrame[], transformations: any[] = []): Promise<DataFrame[]> {
  return lastValueFrom(transformDataFrame(transformations, data, { interpolate: (text) => text }));
}
