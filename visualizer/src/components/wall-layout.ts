/** How many columns a wall has: pure arithmetic over the room there is. */
import type { Density } from '../models/preferences.ts';

/** Gap between tiles, and the caption under the picture, as in styles/wall.css. */
const gap = 8;
const captionHeight = 34;
/** Below this a person sees nothing on a tile; the wall scrolls instead. */
const minTileWidth = 176;
/** On a phone tiles take the width and the wall scrolls, however few they are. */
const narrow = 640;

export type WallLayout = { columns: number; tileWidth: number };

/** Lays `count` tiles of 16:9 out in `width` × `height`. */
export function layoutWall({ count, width, height, density }: { count: number; width: number; height: number; density: Density }): WallLayout {
  const most = Math.max(1, Math.floor((width + gap) / (minTileWidth + gap)));
  if (density !== 'auto') {
    const columns = Math.min(Math.sqrt(Number(density)), most);
    return { columns, tileWidth: Math.min(columnWidth(width, columns), heightLimit(height, Math.sqrt(Number(density)))) };
  }
  if (width < narrow) return scrolling({ width, most });
  let best: WallLayout = { columns: most, tileWidth: columnWidth(width, most) };
  let fits = false;
  for (let columns = 1; columns <= Math.min(most, Math.max(1, count)); columns += 1) {
    const tileWidth = Math.min(columnWidth(width, columns), heightLimit(height, Math.ceil(count / columns)));
    if (tileWidth >= minTileWidth && (!fits || tileWidth > best.tileWidth)) {
      best = { columns, tileWidth };
      fits = true;
    }
  }
  // Too many for one screen: a readable size and scrolling.
  return fits ? best : scrolling({ width, most });
}

function scrolling({ width, most }: { width: number; most: number }): WallLayout {
  const columns = Math.min(most, Math.max(1, Math.round(width / 300)));
  return { columns, tileWidth: columnWidth(width, columns) };
}

function columnWidth(width: number, columns: number): number {
  return Math.floor((width - gap * (columns - 1)) / columns);
}

/** The widest tile of which `rows` rows fit into `height`. */
function heightLimit(height: number, rows: number): number {
  return Math.floor(((height - gap * (rows - 1)) / rows - captionHeight) * (16 / 9));
}
