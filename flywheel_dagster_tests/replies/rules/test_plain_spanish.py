"""Plain Spanish replies that anybody would expect to be read rightly."""

import pytest

from flywheel_dagster_tests.replies.rules.plain import languages, rows, share_right

_REPLIES = """
= positive high none
Me interesa mucho. ¿Podemos hablar la próxima semana?
Suena muy interesante, cuénteme más.
Cuéntame más, por favor.
Contame más, me interesa.
Sí, claro, hablemos el jueves a las 10.
Perfecto, el martes a las 4 me viene bien.
¿Le parece bien el miércoles por la tarde?
¿Cuándo podemos hablar?
Me gustaría agendar una reunión.
Agendemos una llamada.
Envíeme más información, por favor.
Mándame los detalles.
Mandame info por favor
¿Me puede enviar una presentación?
¿Podrías mostrarme una demo?
¿Se integra con Salesforce?
¿Dónde se alojan los datos?
¿Cuánto tiempo tarda la implementación?
¿Qué los diferencia de la competencia?
¿Tienen clientes en México?
¿Cómo funciona exactamente?
Quisiera saber más sobre su producto.
Me encantaría conocer más detalles.
Nos interesa, ¿cuáles son los siguientes pasos?
Es justo lo que estamos buscando.
Llámame mañana al mediodía.
Puede llamarme al 600 123 456 cuando quiera.
No hay problema, hablamos mañana.
Sí, tengo disponibilidad el lunes.
¿Cuánto cuesta?
¿Qué precio tiene?
¿Cuál es el precio para 20 usuarios?
¿Me pasas los precios?
Quisiera recibir una cotización.
¿Me puede mandar un presupuesto?
¿Les queda bien mañana a las 11?
Dale, coordinemos una llamada para el viernes.
Estoy interesado, ¿qué necesita de mi parte?
Buenas tardes, nos llega en buen momento. ¿Tendría un rato el miércoles para contarnos cómo funciona?
Nos vendría bien algo así. ¿Qué incluye el servicio?
¿Y eso cómo se instala?
Sí, por favor, mande el enlace para la reunión.
Pues mira, justo andamos buscando algo parecido. ¿Hablamos?
¿Tienen algún caso de éxito en el sector hotelero?
Me gustaría probarlo antes de decidir. ¿Hay versión de prueba?
Che, me copó la idea. ¿Cuándo lo vemos?
¿Por cuánto saldría para un equipo de diez?
Me parece bien, quedamos el lunes a las nueve.
¿Cumple con la normativa europea?
Hola, me parece una buena idea. Llámame mañana por la mañana.
Tengo interés. ¿Qué necesitan de mí?
Con gusto, hagamos una videollamada corta.
¿También lo ofrecen en inglés?
¿Con qué rapidez se podría implementar?
De hecho estamos buscando un proveedor nuevo. ¿Cuándo le queda bien?
De acuerdo, resérvenme una cita.
Me gustaría saber cómo protegen los datos.
¿Tenés algún video o folleto?
¿Hay descuento a partir de cuántos usuarios?
Me has despertado la curiosidad, cuéntame más.
Sí, por favor, mándeme la información por correo.
¿Quiénes son sus clientes en Chile?
Podemos comentarlo la semana que viene, sin problema.
¡Es justo mi tema! ¿Cuándo empezamos?
Suena bien, ¿cuál es el proceso?
Mándeme el contrato, lo hacemos.
El lunes me va bien.
A partir de las cuatro estoy disponible.
Sí, nos interesa, mande algo.
¿Funciona también en el móvil?
¿Hace falta formación para usarlo?
Enséñeme lo que tiene.
= positive - none
Me interesa
Estamos muy interesados en su propuesta.
¡Qué buena idea!
Suena muy bien.
¡Me encanta!
¿De qué se trata?
Cuente conmigo.
¡Muy buena oferta!
= positive high competitor
Ya tenemos un proveedor, pero no estamos contentos. ¿Qué ofrecen ustedes?
= neutral low none
Gracias.
Muchas gracias por la información.
Recibido, gracias.
De acuerdo, gracias por avisar.
Ok, tomo nota.
Enterado.
Vale.
Visto, gracias.
Muchas gracias por escribir.
Perfecto, recibido.
Gracias por el aviso.
Anotado.
Ok, ya lo vi.
Gracias por su correo, lo he leído.
Muchas gracias, un saludo.
Gracias por la documentación, ya la recibí.
Quedo enterado.
Ok, gracias a ti.
Todo claro, gracias y buen día.
= neutral medium -
Manténgame informado, por favor.
Tal vez, déjeme pensarlo.
Lo voy a pensar.
Lo reviso y te digo.
Quizás, no estoy seguro.
Por ahora no lo necesitamos, pero guardo su contacto.
De momento no nos hace falta, pero lo tendré en cuenta para el futuro.
Lo miro con calma y les comento.
Puede ser, pero no le prometo nada.
Avíseme si sacan alguna novedad.
Lo tendremos en cuenta.
Puede que sí. Les escribo cuando tenga algo más concreto.
Todavía no estoy convencido, lo tengo que pensar.
No sabría decirle ahora, quizás.
Infórmeme cuando haya novedades, por favor.
Si cambia algo, me pondré en contacto con usted.
Le echaré un vistazo.
Lo comentaremos internamente próximamente.
Cuando tenga ocasión me pongo en contacto.
Lo estudiamos y le damos una respuesta.
Me guardo el correo.
Tengo que mirarlo con calma.
= neutral medium timing
Ahora no es buen momento, escríbame en septiembre.
En este momento no, quizás el próximo año.
Por ahora no podemos, pero contácteme en enero.
Estamos muy ocupados, ¿lo retomamos después del verano?
Este año no, tal vez el próximo trimestre.
Escríbeme dentro de tres meses.
Vuelva a contactarme en otoño.
Ahora mismo no tengo tiempo, hablemos el mes que viene.
De momento no es posible, quizá más adelante.
Estoy a tope, búscame en marzo.
Estamos en plena mudanza, mejor hablamos en mayo.
Hasta después de Semana Santa no puedo mirar nada.
Ahorita no, pero búsqueme en enero.
Este trimestre lo tenemos completo, escríbanos para el siguiente.
No es el momento, quizás el año que viene.
Ando muy liado, ¿lo dejamos para el mes que viene?
Por el momento tenemos otras prioridades. Volvamos a hablar en otoño.
Estamos en época de vacaciones, escríbanos de nuevo en septiembre.
Esta semana imposible, tal vez la próxima.
Antes de fin de año no llegamos, hablemos en febrero.
En principio sí, pero no en este trimestre.
El tema se ha aplazado al año que viene.
Estoy a tope hasta Semana Santa, después me puede volver a escribir.
Estamos con el cierre del año, vuelva a llamar en febrero.
Será interesante a partir del tercer trimestre como pronto.
Ahora estoy de viaje, hablemos en junio.
= neutral medium authority
Tengo que consultarlo con mi jefe.
Lo tengo que hablar con mi socio.
La decisión la toma la dirección.
Debo consultarlo con el equipo primero.
No depende de mí, lo decide el director.
Lo tiene que aprobar la gerencia, se lo presento y le aviso.
Debo hablarlo con mi mujer, que lleva las cuentas.
Lo comento con el jefe y te cuento.
Primero tengo que consultarlo con la dirección.
Sin el visto bueno de mi jefe no puedo hacer nada, le pregunto.
Lo presentaré en la próxima reunión de equipo.
Eso lo decide el departamento de compras.
Necesito la autorización de mi superior para eso.
= neutral - -
Habla con María López, ella se encarga de esto.
La persona responsable es Juan Pérez.
Le paso su correo a mi compañero de compras.
Diríjase por favor al departamento de marketing.
Reenvié tu mensaje a la persona encargada.
Contacte a mi colega Pedro, él lleva estos temas.
Para esto escriba a compras@example.com
Eso lo lleva mi compañera Laura, te paso su contacto.
He reenviado su propuesta al departamento de informática.
Eso lo ve Recursos Humanos, pregunte allí por favor.
Envíe su consulta a info@example.com.
La responsable sería la doctora Gil.
La señora López se pondrá en contacto con usted, le pasé su correo.
Pongo en copia al señor Bravo, que lleva este tema.
Contacte por favor con nuestro departamento de marketing.
Lo mejor es que hable con el señor Díaz.
De este tema se encarga la central en Madrid.
= neutral none -
Se ha equivocado de persona.
No soy la persona indicada.
Yo no llevo ese tema.
Carlos ya no trabaja aquí.
Ana dejó la empresa el año pasado.
Creo que este correo no era para mí.
No trabajo en esa área, creo que se confundió.
Este no es el contacto correcto.
El señor Ramírez ya no labora en esta empresa.
Yo no trabajo en ese departamento.
El señor Vargas se jubiló en mayo.
Debe de haber una confusión, no soy quien busca.
Yo solo soy el conserje, no puedo decirle nada.
Esta dirección ya no es del señor Fuentes.
Ya no estoy en esa empresa desde marzo.
= neutral none none
Estoy fuera de la oficina hasta el 15 de agosto.
Estaré de vacaciones hasta el lunes. Para urgencias, escriba a mi compañera.
Esta es una respuesta automática.
Gracias por su mensaje. Me encuentro de vacaciones y responderé a mi regreso.
Hemos recibido su consulta y le responderemos lo antes posible.
Estoy de baja por maternidad hasta junio.
Gracias por su correo. Estaré ausente hasta el 7 de enero, sin acceso al correo.
Nuestra oficina permanecerá cerrada del 24 de diciembre al 1 de enero.
Respuesta automática: hoy estoy fuera y no leeré mis correos hasta el jueves.
Estoy de viaje de trabajo hasta el miércoles y con acceso limitado al correo.
Estoy de vacaciones y vuelvo el día 12.
= negative none not_interested
No me interesa.
No nos interesa, gracias.
No estamos interesados.
No estoy interesado, gracias.
Gracias, pero no me interesa.
No tenemos interés.
No gracias.
No, muchas gracias.
No.
Le agradezco mucho su propuesta, pero no es para nosotros.
Muchas gracias por pensar en nosotros, pero vamos a declinar.
Suena interesante, pero no es lo que buscamos.
No encaja con lo que hacemos.
Lamentablemente no vamos a seguir adelante. ¡Mucho éxito!
Hemos decidido no continuar.
No, gracias. Le deseo mucha suerte.
No es de nuestro interés.
Por favor, no insista, no nos interesa.
No me interesa para nada.
Agradezco la oferta, pero paso.
Sin interés.
Prefiero que no.
Te agradezco el mensaje, pero no nos interesa en absoluto.
Muy amable, pero de momento y en el futuro no nos interesa.
La propuesta es buena, pero hemos decidido no seguir adelante.
No, gracias, no me interesa lo que venden.
Interesante producto, pero no es para una empresa como la nuestra.
No queremos, gracias.
No creo que sea para nosotros. Un saludo.
Va a ser que no.
La verdad es que no estamos interesados en este tipo de servicios.
No tenemos interés ni ahora ni más adelante.
Hola, esto no es para mí. ¡Gracias de todos modos!
Enfoque interesante, pero no encaja con nuestra estrategia.
No quiero eso.
No, no lo queremos.
Preferimos no colaborar.
Tras revisarlo internamente hemos decidido rechazar su oferta.
Gracias, pero no estoy interesada y tampoco quiero una reunión.
No hace falta una reunión, no nos interesa.
Muchas gracias por la estupenda oferta, pero tenemos que rechazarla.
No nos llama la atención este tipo de soluciones.
= negative none no_need
No lo necesitamos.
No necesitamos ese servicio, gracias.
No nos hace falta.
Lo hacemos internamente.
Tenemos un equipo propio para eso.
Somos una empresa muy pequeña para algo así.
No tenemos esa necesidad.
Ya lo tenemos resuelto.
No me hace falta, gracias.
Lo hacemos nosotros mismos.
Eso lo resolvemos nosotros en casa.
No usamos nada de eso en nuestro negocio.
No le vemos utilidad para nuestro caso.
No veo necesidad de algo así en nuestra empresa.
De eso se encarga nuestro propio equipo de informática.
No utilizamos nada parecido ni pensamos hacerlo.
= negative none competitor
Ya trabajamos con otro proveedor.
Ya tenemos un proveedor para eso.
Ya usamos HubSpot y estamos contentos.
Estamos satisfechos con nuestro proveedor actual.
Tenemos contrato con otra empresa.
Nos decidimos por la competencia.
Acabamos de firmar con otra empresa.
Gracias, pero estamos con Holded y no pensamos cambiar.
De eso ya se ocupa una agencia.
Ya contamos con un socio fijo para este tema.
Llevamos años con SAP y no queremos cambiar.
= negative none price
Es demasiado caro.
Es muy caro para nosotros.
No tenemos presupuesto.
No tenemos presupuesto para eso.
Se sale de nuestro presupuesto.
No podemos pagarlo.
El precio es muy alto.
No nos lo podemos permitir.
Con esos precios no podemos.
Se nos escapa de presupuesto, así que lo dejamos.
No hay plata para eso.
No vamos a gastar dinero en eso.
A ese precio, desde luego que no.
= negative none -
Deje de escribirme.
Dejen de molestar.
No me escriba más.
No me escriban más por favor
No me contacte de nuevo.
Quiero darme de baja.
Por favor, denme de baja.
Dame de baja de tu lista.
BAJA
Bórreme de su lista.
Elimine mis datos.
Sáqueme de su base de datos.
Sácame de esta lista
Elimíname de la lista de correo.
No quiero recibir más correos.
No envíen más correos, por favor.
Cancelar suscripción
Por favor remover mi correo de su lista.
No deseo recibir más información.
Solicito la supresión de mis datos conforme al RGPD.
¿De dónde sacaron mi correo?
Esto es spam. Voy a denunciarlos.
Qué pesados son, ya les dije que no.
Es la tercera vez que me escriben.
Genial, otro correo automático. Justo lo que me faltaba.
Qué original, ni siquiera sabe mi nombre.
No me haga perder el tiempo.
Si siguen escribiendo, hablaré con mi abogado.
Déjenme en paz.
¡Basta ya de correos!
Sáquenme de su lista de una vez.
Borren mi correo de su base de datos.
No quiero saber nada más de ustedes.
Revoco mi consentimiento para recibir comunicaciones.
Me están haciendo perder el tiempo.
¿Cuántas veces tengo que decir que no?
Otro mensaje de plantilla, qué ilusión.
No manden más publicidad a este correo.
Nunca me suscribí a esto. ¿Quién les dio mi correo?
Para el tamaño que tenemos no merece la pena.
Insisto: ¡bórrenme de la lista!
Dejen de enviar publicidad.
Ya les he dicho tres veces que no.
Esto es una vergüenza.
Se acabó, no más correos.
No queremos que nos vuelvan a contactar.
¿Me podrían eliminar de su lista de correo, por favor?
¿Cómo me doy de baja?
Genial, otro experto que viene a salvar mi negocio.
"""
_ROWS = rows(_REPLIES)


def test_every_plain_reply_has_its_label():
    _, wrong = share_right(_ROWS, "sentiment_label")
    assert wrong == []


@pytest.mark.parametrize("field", ["interest_level", "objection_type"])
def test_interest_and_objection_are_right_nineteen_times_in_twenty(field):
    share, wrong = share_right(_ROWS, field)
    assert share >= 0.95, wrong


def test_the_language_is_known():
    assert languages(_ROWS).count("es") >= 0.95 * len(_ROWS)
