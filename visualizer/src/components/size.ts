/** How large an element is, followed. */
import { useEffect, useRef, useState } from 'preact/hooks';

/** Its content box in whole pixels; 0 before it is known. */
export function useSize<T extends HTMLElement>(): { ref: { current: T | null }; size: { width: number; height: number } } {
  const ref = useRef<T>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    if (!ref.current) return undefined;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setSize({ width: Math.floor(entry.contentRect.width), height: Math.floor(entry.contentRect.height) });
    });
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  return { ref, size };
}
