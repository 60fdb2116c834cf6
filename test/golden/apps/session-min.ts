import { Session } from 'workerman-ts';
import { serveSessions } from './support/sessionApp.js';

serveSessions(() => {
  Session.name = 'min_sid';
  Session.cookieLifetime = 0;
  Session.cookiePath = '';
  Session.domain = '';
  Session.secure = false;
  Session.httpOnly = false;
  Session.sameSite = '';
});
