import { Session } from 'workerman-ts';
import { serveSessions } from './support/sessionApp.js';

serveSessions(() => {
  Session.name = 'PHPSID';
  Session.cookieLifetime = 1440;
  Session.cookiePath = '/';
  Session.domain = '';
  Session.secure = false;
  Session.httpOnly = true;
  Session.sameSite = '';
});
