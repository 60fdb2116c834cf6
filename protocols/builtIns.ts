import { Frame } from './Frame.js';
import { Http } from './Http.js';
import { registerBuiltIn } from './registry.js';
import { Text } from './Text.js';
import { Websocket } from './Websocket.js';
import { Ws } from './Ws.js';

/** Imported by every door, so that the schemes of the package are known whichever way it was entered. */
registerBuiltIn('Http', Http);
registerBuiltIn('Text', Text);
registerBuiltIn('Frame', Frame);
registerBuiltIn('Websocket', Websocket);
registerBuiltIn('Ws', Ws);
