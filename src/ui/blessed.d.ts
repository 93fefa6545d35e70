/** What we use of the screen libraries and what their own type packages leave out. */
declare module 'blessed/lib/widgets/box.js' {
  import type { Widgets } from 'blessed';

  const box: (options: Widgets.BoxOptions) => Widgets.BoxElement;
  export default box;
}

declare module 'blessed/lib/widgets/screen.js' {
  import type { Widgets } from 'blessed';

  const screen: {
    (options: Record<string, unknown>): Widgets.Screen;
    /** Handlers that it puts on the process for itself. */
    _exceptionHandler?: () => void;
    _sigtermHandler?: () => void;
    _sigintHandler?: () => void;
    _sigquitHandler?: () => void;
    _exitHandler?: () => void;
  };
  export default screen;
}

declare module 'blessed-contrib/lib/widget/canvas.js' {
  import type { Widgets } from 'blessed';

  /** Braille dots: each cell is two wide and four high; y counts from the top. */
  export interface CanvasContext {
    strokeStyle: number | string;
    clearRect(x: number, y: number, width: number, height: number): void;
    beginPath(): void;
    moveTo(x: number, y: number): void;
    lineTo(x: number, y: number): void;
    stroke(): void;
    readonly _canvas: { frame(): string; set(x: number, y: number): void; color: number | string };
  }

  export interface CanvasElement extends Widgets.BoxElement {
    ctx: CanvasContext;
    canvasSize: { width: number; height: number };
    calcSize(): void;
    _render(): unknown;
  }

  const canvas: (options: Widgets.BoxOptions) => CanvasElement;
  export default canvas;
}
