/** The connected parts of a graph, the largest first; those of one size in the order of their first node. */
export function componentsOfLinks(nodes: number, links: readonly (readonly [number, number])[]): number[][] {
  const next = Array.from({ length: nodes }, (): number[] => []);
  for (const [a, b] of links) {
    next[a]?.push(b);
    next[b]?.push(a);
  }
  const seen = new Set<number>();
  const components: number[][] = [];
  for (let start = 0; start < nodes; start++) {
    if (seen.has(start)) continue;
    seen.add(start);
    const component = [start];
    for (const node of component) {
      for (const other of next[node] ?? []) {
        if (seen.has(other)) continue;
        seen.add(other);
        component.push(other);
      }
    }
    components.push(component);
  }
  return components.sort((a, b) => b.length - a.length || (a[0] ?? 0) - (b[0] ?? 0));
}

/** Between neighbours on a circle, and around a component. */
const spacing = 1;
/** As wide as high would leave no room for text beside the picture. */
const proportion = 2.4;

/** Places for the nodes of components: each component a circle, the circles in rows from left to right. */
export function placedInCircles(components: readonly (readonly number[])[]): { x: number[]; y: number[]; extent: { width: number; height: number } } {
  const radii = components.map(({ length }) => (length === 1 ? 0 : Math.max(0.6, (length * spacing) / (2 * Math.PI))));
  const area = radii.reduce((sum, radius) => sum + (2 * radius + 1.4 * spacing) ** 2, 0);
  const width = Math.max(Math.sqrt(area * proportion), 2 * (radii[0] ?? 0) + 2 * spacing, 8);
  const [x, y]: [number[], number[]] = [[], []];
  let left = 0;
  let top = 0;
  let rowHeight = 0;
  for (const [index, component] of components.entries()) {
    const radius = radii[index] ?? 0;
    const size = 2 * radius + 1.4 * spacing;
    if (left + size > width && left > 0) {
      left = 0;
      top += rowHeight;
      rowHeight = 0;
    }
    for (const [position, node] of component.entries()) {
      const angle = (2 * Math.PI * position) / component.length - Math.PI / 2;
      x[node] = left + size / 2 + radius * Math.cos(angle);
      y[node] = top + size / 2 + radius * Math.sin(angle);
    }
    left += size;
    rowHeight = Math.max(rowHeight, size);
  }
  return { x, y, extent: { width, height: top + Math.max(rowHeight, 1.4 * spacing) } };
}
