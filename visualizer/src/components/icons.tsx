/** The icons: 20 × 20 strokes in the text's colour, hidden from assistive technology (their buttons have names). */
import type { ComponentChildren, JSX } from 'preact';

function icon(children: ComponentChildren): () => JSX.Element {
  return () => (
    <svg class="icon" viewBox="0 0 20 20" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

export const WallIcon = icon(<><rect x="3" y="3.5" width="6" height="5" rx="1.2" /><rect x="11" y="3.5" width="6" height="5" rx="1.2" /><rect x="3" y="11.5" width="6" height="5" rx="1.2" /><rect x="11" y="11.5" width="6" height="5" rx="1.2" /></>);
export const ListIcon = icon(<><path d="M7.5 5H17M7.5 10H17M7.5 15H17" /><path d="M3.5 5h.01M3.5 10h.01M3.5 15h.01" stroke-width="2.2" /></>);
export const ChartIcon = icon(<><rect x="6.5" y="2.8" width="7" height="4.4" rx="1.2" /><rect x="2.5" y="12.8" width="6" height="4.4" rx="1.2" /><rect x="11.5" y="12.8" width="6" height="4.4" rx="1.2" /><path d="M10 7.2V10M5.5 12.8V10h9v2.8" /></>);
export const DownloadIcon = icon(<path d="M10 3.5v9M6.2 9 10 12.8 13.8 9M4 16.5h12" />);
export const RecordIcon = icon(<><path d="M4.2 6.2A7 7 0 1 1 3 10M3.4 3.2l.6 3.3 3.3-.5" /><path d="M10 6.2V10l2.8 1.8" /></>);
export const ChangeIcon = icon(<path d="M4 16l.7-3.2L13 4.5a1.6 1.6 0 0 1 2.3 0l.2.2a1.6 1.6 0 0 1 0 2.3l-8.3 8.3L4 16zM11.6 5.9l2.5 2.5" />);
export const MinusIcon = icon(<path d="M4 10h12" />);
export const SearchIcon = icon(<><circle cx="9" cy="9" r="5" /><path d="m13 13 3.5 3.5" /></>);
export const PlusIcon = icon(<path d="M10 4v12M4 10h12" />);
export const SunIcon = icon(<><circle cx="10" cy="10" r="3.2" /><path d="M10 2.5v1.6M10 15.9v1.6M2.5 10h1.6M15.9 10h1.6M4.7 4.7l1.1 1.1M14.2 14.2l1.1 1.1M15.3 4.7l-1.1 1.1M5.8 14.2l-1.1 1.1" /></>);
export const MoonIcon = icon(<path d="M16.2 12.1A6.8 6.8 0 0 1 7.9 3.8a6.8 6.8 0 1 0 8.3 8.3z" />);
export const AutoIcon = icon(<><circle cx="10" cy="10" r="6.5" /><path d="M10 3.5v13a6.5 6.5 0 0 0 0-13z" fill="currentColor" stroke="none" /></>);
export const KeysIcon = icon(<><rect x="2.5" y="5" width="15" height="10" rx="2" /><path d="M5.5 8.2h.01M8.5 8.2h.01M11.5 8.2h.01M14.5 8.2h.01M7 11.8h6" /></>);
export const BackIcon = icon(<path d="M12 4.5 6.5 10l5.5 5.5" />);
export const NextIcon = icon(<path d="M8 4.5 13.5 10 8 15.5" />);
export const PlayIcon = icon(<path d="M6.5 4.5v11l9-5.5z" />);
export const StopIcon = icon(<rect x="5" y="5" width="10" height="10" rx="1.6" />);
export const RestartIcon = icon(<><path d="M15.8 8A6.2 6.2 0 1 0 16 11.6" /><path d="M16.2 4.2V8h-3.8" /></>);
export const RetryIcon = icon(<><path d="M10.8 2.8 5 11h4.4l-.6 6.2L15 9h-4.6z" /></>);
export const RemoveIcon = icon(<><path d="M4 5.8h12M8 5.6V4h4v1.6M5.6 5.8l.7 10.2h7.4l.7-10.2M8.6 8.8v4.4M11.4 8.8v4.4" /></>);
export const CloseIcon = icon(<path d="M5.5 5.5l9 9M14.5 5.5l-9 9" />);
export const CheckIcon = icon(<path d="m4.5 10.5 3.6 3.6 7.4-8" />);
export const WarnIcon = icon(<><path d="M10 3.4 17.4 16H2.6z" /><path d="M10 8.2v3.4M10 13.7h.01" /></>);
export const ExpandIcon = icon(<path d="M7.5 3.5h-4v4M12.5 3.5h4v4M7.5 16.5h-4v-4M12.5 16.5h4v-4" />);
export const SoundIcon = icon(<><path d="M3.5 8v4h2.7l3.8 3.2V4.8L6.2 8z" /><path d="M12.8 7.4a3.6 3.6 0 0 1 0 5.2M15 5.2a6.8 6.8 0 0 1 0 9.6" /></>);
export const MutedIcon = icon(<><path d="M3.5 8v4h2.7l3.8 3.2V4.8L6.2 8z" /><path d="m12.8 8 4 4M16.8 8l-4 4" /></>);
export const LogoutIcon = icon(<><path d="M8 3.5H4.8A1.3 1.3 0 0 0 3.5 4.8v10.4a1.3 1.3 0 0 0 1.3 1.3H8" /><path d="M12.5 6.5 16 10l-3.5 3.5M16 10H7.8" /></>);
export const CameraIcon = icon(<><rect x="2.5" y="5.5" width="10" height="9" rx="2" /><path d="m12.5 9.2 5-2.7v7l-5-2.7" /></>);
export const CameraOffIcon = icon(<><path d="M6 5.5h4.5a2 2 0 0 1 2 2v4.8M11.4 14.4H4.5a2 2 0 0 1-2-2v-5a2 2 0 0 1 .8-1.6" /><path d="m12.5 9.2 5-2.7v7l-3.2-1.7M3 3l14 14" /></>);

/** Lookout's mark: a lighthouse and its beam. */
export function Logo(): JSX.Element {
  return (
    <svg class="logo" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" fill="#12315c" />
      <path d="M12.4 12.5 3 8.8v9.4l9.4-2.5z" fill="#ffc65c" opacity=".9" />
      <path d="m19.6 12.5 9.4-3.7v9.4l-9.4-2.5z" fill="#ffc65c" opacity=".45" />
      <path d="M12.5 11h7v6.2h-7zM11.4 11 16 6.6l4.6 4.4zM13 18.6h6l1.5 8h-9z" fill="#fff" />
    </svg>
  );
}
