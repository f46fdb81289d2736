/** What is near the screen: one observer for all rows or tiles of a view, so that 500 cameras cost what fits on the screen. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';

/** Tells elements whether they are in sight. */
export type Sight = { watch: (element: Element, tell: (inSight: boolean) => void) => () => void; end: () => void };

/** `margin`: how far outside of the screen still counts. */
export function createSight(margin: string): Sight {
  const tellers = new WeakMap<Element, (inSight: boolean) => void>();
  const observer = new IntersectionObserver((changes) => changes.forEach(({ target, isIntersecting }) => tellers.get(target)?.(isIntersecting)), { rootMargin: margin });
  return {
    watch: (element, tell) => {
      tellers.set(element, tell);
      observer.observe(element);
      return () => observer.unobserve(element);
    },
    end: () => observer.disconnect(),
  };
}

/** One for the life of a component. */
export function useSight(margin: string): Sight {
  const sight = useMemo(() => createSight(margin), [margin]);
  useEffect(() => () => sight.end(), [sight]);
  return sight;
}

/** Whether this element is in sight. */
export function useInSight<T extends Element>(sight: Sight): { ref: { current: T | null }; inSight: boolean } {
  const ref = useRef<T>(null);
  const [inSight, tell] = useState(false);
  useEffect(() => (ref.current ? sight.watch(ref.current, tell) : undefined), [sight]);
  return { ref, inSight };
}
