/* The simulator's JS-SDK: the same `wx` that WeChat's script gives a page, spoken to the phone around the page.
   A page in no phone gets errors, as in any browser that is not WeChat. */
;(function () {
  'use strict'
  if (window.wx && window.wx.__simulator) return

  var framed = window.parent !== window
  var waiting = {}
  var next = 1
  var ready = []
  var failed = []
  var state = 'new'
  var problem = null

  function ask(name, params) {
    return new Promise(function (resolve) {
      if (!framed) return resolve({ errMsg: name + ':fail not in WeChat' })
      var id = next++
      waiting[id] = resolve
      window.parent.postMessage({ xinglinPhone: 1, id: id, call: name, params: params || {} }, '*')
      if (name === 'hello' || name === 'config') {
        setTimeout(function () {
          if (!waiting[id]) return
          delete waiting[id]
          resolve({ errMsg: name + ':fail the page is in no phone' })
        }, 4000)
      }
    })
  }

  window.addEventListener('message', function (event) {
    if (event.source !== window.parent || !event.data || event.data.xinglinPhone !== 1) return
    var resolve = waiting[event.data.id]
    if (!resolve) return
    delete waiting[event.data.id]
    resolve(event.data.result || {})
  })

  function settle(ok, result) {
    state = ok ? 'ready' : 'failed'
    problem = ok ? null : result
    var list = ok ? ready : failed
    ready = []
    failed = []
    list.forEach(function (callback) {
      callback(ok ? undefined : result)
    })
  }

  function call(name, params) {
    var p = params || {}
    var open = name === 'checkJsApi' || state === 'ready'
    var done = open ? ask(name, plain(p)) : Promise.resolve({ errMsg: name + ':fail config has not succeeded' })
    done.then(function (result) {
      var message = result.errMsg || name + ':ok'
      result.errMsg = message
      if (/:ok$/.test(message)) p.success && p.success(result)
      else if (/:cancel$/.test(message)) p.cancel && p.cancel(result)
      else p.fail && p.fail(result)
      p.complete && p.complete(result)
    })
  }

  function plain(params) {
    var out = {}
    Object.keys(params).forEach(function (key) {
      if (typeof params[key] !== 'function') out[key] = params[key]
    })
    return out
  }

  var wx = {
    __simulator: true,
    config: function (config) {
      state = 'asking'
      ask('config', {
        appId: config.appId,
        timestamp: config.timestamp,
        nonceStr: config.nonceStr,
        signature: config.signature,
        jsApiList: config.jsApiList || [],
        url: location.href.split('#')[0]
      }).then(function (result) {
        settle(result.errMsg === 'config:ok', result)
      })
    },
    ready: function (callback) {
      if (state === 'ready') callback()
      else ready.push(callback)
    },
    error: function (callback) {
      if (state === 'failed') callback(problem)
      else failed.push(callback)
    },
    miniProgram: {
      getEnv: function (callback) {
        callback({ miniprogram: false })
      }
    }
  }
  ;[
    'checkJsApi',
    'scanQRCode',
    'closeWindow',
    'getLocation',
    'openLocation',
    'chooseImage',
    'getLocalImgData',
    'uploadImage',
    'previewImage',
    'getNetworkType',
    'hideMenuItems',
    'showMenuItems',
    'hideOptionMenu',
    'showOptionMenu',
    'updateAppMessageShareData',
    'updateTimelineShareData',
    'chooseWXPay'
  ].forEach(function (name) {
    wx[name] = function (params) {
      call(name, params)
    }
  })
  window.wx = wx
  window.jWeixin = wx

  if (framed) {
    // The phone shows the page's title in its bar.
    var title = function () {
      window.parent.postMessage({ xinglinPhone: 1, id: 0, call: 'title', params: { title: document.title, url: location.href } }, '*')
    }
    title()
    new MutationObserver(title).observe(document.head || document.documentElement, {
      subtree: true,
      childList: true,
      characterData: true
    })
  }
})()
