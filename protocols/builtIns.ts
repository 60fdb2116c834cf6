import { Frame } from './Frame.js';
import { Http } from './Http.js';
import { registerBuiltIn } from './registry.js';
import { Text } from './Text.js';

/** Imported by every door, so that the schemes of the package are known whichever way it was entered. */
registerBuiltIn('Http', Http);
registerBuiltIn('Text', Text);
registerBuiltIn('Frame', Frame);
