import { Session } from 'workerman-ts';
import { serveSessions } from './support/sessionApp.js';

serveSessions(() => {
  Session.name = 'SIDX';
  Session.cookieLifetime = 3600;
  Session.cookiePath = '/app';
  Session.domain = 'example.test';
  Session.secure = true;
  Session.httpOnly = true;
  Session.sameSite = 'Strict';
});
